import assert from "node:assert/strict";
import { test } from "node:test";
import { DonjonError, type ErrorCode } from "@donjon/core/errors";
import { MAX_MANIFEST_BYTES } from "@donjon/protocol/limits";
import { encodeManifest } from "@donjon/protocol/manifest/encode";
import { parseManifest } from "@donjon/protocol/manifest/parse";
import { readManifest } from "@donjon/protocol/manifest/read-manifest";
import fc from "fast-check";

const encode = (text: string) => new TextEncoder().encode(text);
const parseDraft = (text: string) => parseManifest(encode(text), { draft: true });
const DIGEST = "0123456789abcdef".repeat(4);

function refuses(text: string, code: ErrorCode, line: number, column: number, message: RegExp) {
  assert.throws(
    () => parseDraft(text),
    (error) => {
      assert.ok(error instanceof DonjonError, String(error));
      assert.match(error.message, message);
      assert.equal(error.code, code);
      assert.equal(`${error.details["line"]}:${error.details["column"]}`, `${line}:${column}`);
      assert.ok(error.message.startsWith(`donjon.toml:${line}:${column}: `));
      return true;
    },
  );
}

const FULL = `
args = ["-v", "x"]
[workload]
file = "build/app.wasm"
sha256 = "${DIGEST}"
[env]
LANG = "C"
[stdio]
stdin = "null"
[[listeners]]
name = "http"
protocol = "tls"
address = "::"
port = 8443
[[connections]]
name = "db"
protocol = "tcp"
host = "db.example"
port = 5432
[[mounts]]
kind = "memory"
guest = "/tmp"
[[mounts]]
kind = "packed"
guest = "/data"
host = "data"
writable = true
sha256 = "${DIGEST}"
[[secrets]]
name = "TOKEN"
[[secrets]]
name = "key"
file = "/secrets/key.pem"
[limits]
memory = "512 MiB"
files = 1048576
time = "1.5 min"
descriptors = 64
threads = 2
output = "1 MB"
`;

test("a manifest with every section gives every field", () => {
  const manifest = parseManifest(encode(FULL));
  assert.deepEqual(manifest.workload, { file: "build/app.wasm", sha256: DIGEST });
  assert.deepEqual(manifest.args, ["app.wasm", "-v", "x"]);
  assert.deepEqual(
    [...manifest.env],
    [
      ["FD_COUNT", "8"],
      ["FD_NAMES", "stdin:stdout:stderr:/tmp:/data:/secrets:http:db"],
      ["LANG", "C"],
    ],
  );
  assert.deepEqual(manifest.descriptors, [
    { kind: "null", name: "stdin" },
    { kind: "stdout", name: "stdout" },
    { kind: "stderr", name: "stderr" },
    { kind: "listen", name: "http", protocol: "tls", address: "::", port: 8443 },
    { kind: "connect", name: "db", protocol: "tcp", host: "db.example", port: 5432 },
  ]);
  assert.deepEqual(manifest.mounts, [
    { kind: "memory", guest: "/tmp" },
    { kind: "packed", guest: "/data", host: "data", writable: true, sha256: DIGEST },
  ]);
  assert.deepEqual(manifest.secrets, [
    { name: "TOKEN", kind: "env", variable: "TOKEN" },
    { name: "key", kind: "file", path: "/secrets/key.pem" },
  ]);
  assert.deepEqual(manifest.limits, {
    memoryBytes: 512 * 2 ** 20,
    filesBytes: 1 << 20,
    timeMs: 90_000,
    descriptors: 64,
    threads: 2,
    outputBytes: 1_000_000,
  });
});

test("an empty manifest grants stdio and nothing else", () => {
  const manifest = parseDraft("");
  assert.deepEqual(manifest.args, ["main.wasm"]);
  assert.deepEqual(
    manifest.descriptors.map(({ kind }) => kind),
    ["stdin", "stdout", "stderr"],
  );
  assert.equal(manifest.env.size + manifest.mounts.length + manifest.secrets.length, 0);
  assert.equal(manifest.limits.timeMs, null);
});

test("a manifest without digests is refused unless it is read as a draft", () => {
  assert.throws(() => parseManifest(encode("")), { code: "manifest/digest" });
  const mount = `[workload]\nsha256 = "${DIGEST}"\n[[mounts]]\nkind = "packed"\nguest = "/d"\n`;
  assert.throws(() => parseManifest(encode(mount)), {
    code: "manifest/digest",
    message: /^donjon\.toml:3:3: .*"\/d"/,
  });
});

test("a Keep refuses the same manifests, and says the key without line and column", () => {
  const text = `[workload]\nsha256 = "${DIGEST}"\n${LISTENER}key = "k"`;
  assert.throws(() => readManifest(encode(text)), {
    code: "manifest/value",
    message: `donjon.toml: 'key' is for protocol = "tls", and this is "tcp"`,
    details: { file: "donjon.toml", key: "listeners[0].key" },
  });
  assert.deepEqual(readManifest(encode(FULL)), parseManifest(encode(FULL)));
});

test("an error names the file it was told", () => {
  assert.throws(() => parseManifest(encode("x = "), { file: "a/b.toml" }), {
    code: "manifest/syntax",
    message: /^a\/b\.toml:1:5: /,
  });
});

test("an unknown key is refused at its place with the nearest right key", () => {
  const cases: [string, number, number, RegExp][] = [
    ['arg = ["x"]', 1, 1, /did you mean 'args'\?/],
    ['[workload]\nfile = "a"\n  shasum = "x"', 3, 3, /known keys: file, sha256, name/],
    ["# é\n\n[worklaod]\n", 3, 2, /did you mean 'workload'\?/],
    ['[[listeners]]\nname = "a"\nprotcol = "tcp"', 3, 1, /'listeners\[0\]'.*'protocol'/],
    ['stdio = { stdin = "null", stdot = "null" }', 1, 27, /did you mean 'stdout'\?/],
    ["limits.memroy = 1", 1, 1, /did you mean 'memory'\?/],
    [
      'mounts = [\n  { kind = "memory", guest = "/a" },\n  { kind = "memory", guset = "/b" },\n]',
      3,
      22,
      /'guest'/,
    ],
  ];
  for (const [text, line, column, message] of cases) {
    refuses(text, "manifest/unknown-key", line, column, message);
  }
});

test("a wrong value is refused at its place with what was found and wanted", () => {
  const cases: [string, number, number, RegExp][] = [
    ["args = 1", 1, 8, /'args' is 1, and a list is wanted/],
    ['args = [\n "a",\n  2]', 3, 3, /'args\[1\]' is 2/],
    ['[limits]\nmemory = "512 MB/s"', 2, 10, /"512 MiB"/],
    ['[limits]\nmemory = "5 GiB"', 2, 10, /from 65536 to 4294967296 bytes/],
    ['[limits]\ntime = "0 s"', 2, 8, /from 1 to/],
    ["[limits]\ntime = 30", 2, 8, /"30 s"/],
    ["[limits]\ndescriptors = 1.5", 2, 15, /whole number/],
    ["[limits]\ndescriptors = 99999999999999999999", 2, 15, /whole number/],
    ['[stdio]\nstdout = "hots"', 2, 10, /did you mean "host"\?/],
    ["[env]\nA = 1", 2, 5, /'env.A' is 1/],
    ['[env]\n"A=B" = "x"', 2, 1, /without '='/],
    ['[env]\nFD_COUNT = "9"', 2, 1, /set by Donjon/],
    ['[workload]\nsha256 = "ABC"', 2, 10, /64 lower-case/],
    ['[[listeners]]\nname = "a"\nprotocol = "tcp"', 1, 3, /lacks the key 'port'/],
    ['[[listeners]]\nname = "a b"\nprotocol = "tcp"\nport = 1', 2, 8, /letters, digits/],
    ['[[listeners]]\nname = "a"\nprotocol = "tcp"\nport = 65536', 4, 8, /1 to 65535/],
    ['[[mounts]]\nguest = "/a"', 1, 3, /lacks the key 'kind'/],
    ['[[mounts]]\nkind = "sealed"\nguest = "/a"', 2, 8, /reserved for encrypted storage/],
    ['[[mounts]]\nkind = "pack"\nguest = "/a"', 2, 8, /did you mean "packed"\?/],
    ['[[mounts]]\nkind = "memory"\nguest = "/a/../../etc"', 3, 9, /without ':', '\.', '\.\.'/],
    ['[[mounts]]\nkind = "memory"\nguest = "a"', 3, 9, /absolute path/],
    ['[[mounts]]\nkind = "memory"\nguest = "/a/"', 3, 9, /absolute path/],
    ['[[mounts]]\nkind = "memory"\nguest = "/a:b"', 3, 9, /without ':'/],
    ['[[secrets]]\nname = "a"\nenv = "A"\nfile = "/s"', 4, 8, /not both/],
    ['args = ["a\\u0000b"]', 1, 9, /without NUL/],
    ["env = 1979-05-27", 1, 7, /is a date, and a table is wanted/],
    ['"wor\\u006bload" = [1]', 1, 19, /a list, and a table is wanted/],
  ];
  for (const [text, line, column, message] of cases) {
    refuses(text, "manifest/value", line, column, message);
  }
});

test("what contradicts itself is refused", () => {
  const listener = '[[listeners]]\nname = "a"\nprotocol = "tcp"\nport = 1\n';
  const mount = '[[mounts]]\nkind = "memory"\nguest = "/a"\n';
  refuses(listener + listener, "manifest/value", 6, 8, /listener "a" is there twice/);
  refuses(mount + mount, "manifest/value", 6, 9, /already/);
  refuses(`descriptors = []\n${listener}`, "manifest/value", 2, 3, /exclude each other/);
  refuses(`${mount}[[secrets]]\nname = "x"\nfile = "/a/x"`, "manifest/value", 6, 8, /in a mount/);
  const top = '[[mounts]]\nkind = "memory"\nguest = "/"\n[[secrets]]\nname = "x"\nfile = "/x"';
  refuses(top, "manifest/value", 6, 8, /in a mount/);
  refuses('[env]\nX = "1"\n[[secrets]]\nname = "X"', "manifest/value", 4, 8, /set already/);
  const twice = '[[secrets]]\nname = "X"\n[[secrets]]\nname = "Y"\nenv = "X"';
  refuses(twice, "manifest/value", 5, 7, /taken by another secret/);
});

test("a syntax error has the line and column of the parser", () => {
  refuses("args = [", "manifest/syntax", 1, 8, /./);
  refuses("[workload]\nfile 'x'", "manifest/syntax", 2, 6, /./);
  refuses("a = 1\na = 2", "manifest/syntax", 2, 1, /./);
});

test("bytes that are not UTF-8 and documents too large or too deep are refused", () => {
  assert.throws(() => parseManifest(Uint8Array.of(0x61, 0xff)), { code: "manifest/syntax" });
  assert.throws(() => parseManifest(new Uint8Array(MAX_MANIFEST_BYTES + 1)), {
    code: "bytes/limit",
  });
  assert.throws(() => parseDraft(`args = ${"[".repeat(500_000)}`), { code: "manifest/syntax" });
});

test("names that matter to JavaScript objects are plain names", () => {
  refuses("__proto__ = 1", "manifest/unknown-key", 1, 1, /__proto__/);
  refuses("[workload]\nconstructor = 1", "manifest/unknown-key", 2, 1, /constructor/);
  refuses('[[mounts]]\nkind = "toString"\nguest = "/a"', "manifest/value", 2, 8, /toString/);
  assert.equal(parseDraft('[env]\n__proto__ = "x"').env.get("__proto__"), "x");
});

test("sockets follow stdio in order, and only they add variables", () => {
  assert.equal(parseDraft('[stdio]\nstdout = "null"').env.size, 0);
  const only = parseDraft('[[connections]]\nname = "c"\nprotocol = "tcp"\nhost = "::1"\nport = 1');
  assert.deepEqual(Object.fromEntries(only.env), {
    FD_COUNT: "4",
    FD_NAMES: "stdin:stdout:stderr:c",
  });
});

const LISTENER = '[[listeners]]\nname = "a"\nprotocol = "tcp"\nport = 1\n';
const variablesOf = (text: string) => Object.fromEntries(parseDraft(text).env);

test("LISTEN_FDS is set only where the listeners start at descriptor 3", () => {
  assert.deepEqual(variablesOf(LISTENER), {
    FD_COUNT: "4",
    FD_NAMES: "stdin:stdout:stderr:a",
    LISTEN_FDS: "1",
    LISTEN_FDNAMES: "a",
  });
  const before: [string, string][] = [
    ['[[mounts]]\nkind = "memory"\nguest = "/tmp"', "/tmp"],
    ['[[secrets]]\nname = "k"\nfile = "/run/k"\n[[secrets]]\nname = "l"\nfile = "/run/l"', "/run"],
    ['[[secrets]]\nname = "k"\nfile = "/k"', "/"],
  ];
  for (const [directory, name] of before) {
    const wanted = { FD_COUNT: "5", FD_NAMES: `stdin:stdout:stderr:${name}:a` };
    assert.deepEqual(variablesOf(LISTENER + directory), wanted);
  }
});

test("directories stand behind the first three of an explicit table, which must be there", () => {
  const mount = '\n[[mounts]]\nkind = "memory"\nguest = "/tmp"';
  const table = (kinds: readonly string[]) =>
    `descriptors = [${kinds.map((kind) => `{ kind = "${kind}" }`).join(", ")}]`;
  const four = table(["stdin", "null", "stdout", "stderr"]);
  assert.equal(variablesOf(four + mount)["FD_NAMES"], "stdin:null:stdout:/tmp:stderr");
  const two = table(["stdin", "stdout"]) + mount;
  refuses(
    two,
    "manifest/value",
    1,
    1,
    /2 entries, and the directory "\/tmp" needs the first three/,
  );
});

const TLS = '[[listeners]]\nname = "a"\nprotocol = "tls"\nport = 1\n';
const PAIR = `${TLS}certificate = "cert"\nkey = "pem"\nattestation = true\n`;
const listenerOf = (text: string) => parseDraft(text).descriptors[3];

test("a TLS listener names the secrets it serves with, and the program does not see them", () => {
  const secrets = '[[secrets]]\nname = "cert"\n[[secrets]]\nname = "pem"\n';
  const manifest = parseDraft(PAIR + secrets);
  assert.deepEqual(manifest.descriptors[3], {
    kind: "listen",
    name: "a",
    protocol: "tls",
    address: "127.0.0.1",
    port: 1,
    certificate: "cert",
    key: "pem",
    attestation: true,
  });
  assert.deepEqual(manifest.secrets, [
    { name: "cert", kind: "listener" },
    { name: "pem", kind: "listener" },
  ]);
  assert.equal(manifest.env.has("cert"), false);
});

test("a secret of a listener is granted to the program only where the manifest says so", () => {
  const granted =
    '[[secrets]]\nname = "cert"\nfile = "/s/cert"\n[[secrets]]\nname = "pem"\nenv = "KEY"';
  assert.deepEqual(parseDraft(PAIR + granted).secrets, [
    { name: "cert", kind: "file", path: "/s/cert" },
    { name: "pem", kind: "env", variable: "KEY" },
  ]);
});

test("one secret may hold certificate and key", () => {
  const text = `${TLS}certificate = "both"\nkey = "both"\n[[secrets]]\nname = "both"`;
  assert.deepEqual(parseDraft(text).secrets, [{ name: "both", kind: "listener" }]);
});

test("the names of a certificate that the Keep makes are DNS names", () => {
  const listener = listenerOf(`${TLS}names = ["api.example", "*.example", "x"]`);
  assert.deepEqual(listener?.kind === "listen" && listener.names, [
    "api.example",
    "*.example",
    "x",
  ]);
  for (const name of [
    "a..b",
    "-a",
    "a.*.b",
    "a b",
    "1.2.3.4:5",
    "",
    "a\\u0000",
    `${"a".repeat(254)}`,
  ]) {
    refuses(
      `${TLS}names = ["${name}"]`,
      "manifest/value",
      5,
      10,
      /'listeners\[0\]\.names\[0\]'|at most/,
    );
  }
});

test("what a TLS listener serves with is refused where it makes no sense", () => {
  const secret = '[[secrets]]\nname = "cert"\n';
  const cases: [string, number, number, RegExp][] = [
    [`${LISTENER}attestation = true`, 5, 15, /'attestation' is for protocol = "tls"/],
    [`${LISTENER}names = ["x"]`, 5, 9, /'names' is for/],
    [`${TLS}certificate = "cert"\n${secret}`, 5, 15, /'certificate' needs 'key' beside it/],
    [`${TLS}key = "cert"\n${secret}`, 5, 7, /'key' needs 'certificate' beside it/],
    [
      `${TLS}certificate = "cert"\nkey = "crt"\n${secret}`,
      6,
      7,
      /no secret "crt"; did you mean "cert"\?/,
    ],
    [`${TLS}certificate = "cert"\nkey = "other"\n${secret}`, 6, 7, /add \[\[secrets\]\]/],
    [`${PAIR}names = ["x"]\n${secret}`, 8, 9, /leave 'names' out/],
    [
      `${TLS}attestation = true\n[sessions]\nattest = "owner"`,
      5,
      15,
      /says only the owner may ask/,
    ],
    [
      `descriptors = [{ kind = "listen", name = "a", protocol = "tcp", port = 1, key = "k" }]`,
      1,
      81,
      /'key' is for/,
    ],
  ];
  for (const [text, line, column, message] of cases) {
    refuses(text, "manifest/value", line, column, message);
  }
});

test("the explicit table numbers descriptors from 0", () => {
  const manifest = parseDraft(
    'descriptors = [{ kind = "stdout" }, { kind = "null", name = "none" }]',
  );
  assert.deepEqual(manifest.descriptors, [
    { kind: "stdout", name: "stdout" },
    { kind: "null", name: "none" },
  ]);
  assert.deepEqual(Object.fromEntries(manifest.env), { FD_COUNT: "2", FD_NAMES: "stdout:none" });
});

test("an encoded manifest reads back as the same manifest", () => {
  const texts = [
    FULL,
    "",
    "descriptors = []",
    `${LISTENER}[[mounts]]\nkind = "memory"\nguest = "/tmp"`,
    `${PAIR}[[secrets]]\nname = "cert"\n[[secrets]]\nname = "pem"`,
    `${PAIR}[[secrets]]\nname = "cert"\nenv = "cert"\n[[secrets]]\nname = "pem"\nfile = "/s/pem"`,
    `${TLS}names = ["api.example", "b.example"]\nattestation = false`,
    'descriptors = [{ kind = "listen", name = "a", protocol = "tls", port = 1, names = ["x"] }]',
    'descriptors = [{ kind = "stdin" }, { kind = "stdout" }, { kind = "stderr" }, { kind = "listen", name = "a", protocol = "tcp", port = 1 }]',
    'descriptors = [{ kind = "stdin" }, { kind = "stdout" }, { kind = "stderr" }]',
  ];
  for (const text of texts) {
    const manifest = parseDraft(text);
    assert.deepEqual(parseDraft(encodeManifest(manifest)), manifest);
  }
});

test("any variables and arguments survive encoding", () => {
  const texts = fc.string({ unit: "grapheme" }).map((text) => text.replaceAll("\0", ""));
  const names = texts.map((text) => `n${text.replaceAll("=", "").slice(0, 60)}`);
  fc.assert(
    fc.property(fc.array(texts), fc.array(fc.tuple(names, texts)), (args, env) => {
      const base = parseDraft("");
      const manifest = { ...base, args: ["p", ...args], env: new Map(env) };
      assert.deepEqual(parseDraft(encodeManifest(manifest)), manifest);
    }),
  );
});

test("no text makes the parser throw anything but a DonjonError", () => {
  const pieces = [
    ..."[]{}=.,\"'#\n\t 1\\",
    "args",
    "env",
    "mounts",
    "kind",
    "workload",
    "[[",
    "]]",
    '"""',
    "'''",
    "\ud800",
    "é",
  ];
  const toml = fc
    .array(fc.constantFrom(...pieces), { maxLength: 40 })
    .map((parts) => parts.join(""));
  const json = fc.jsonValue({ maxDepth: 3 }).map((value) => `args = ${JSON.stringify(value)}`);
  const keys = fc
    .array(
      fc.tuple(
        fc.constantFrom("args", "env.A", "[mounts]", "[[mounts]]", "limits.time", "stdio"),
        fc.jsonValue(),
      ),
    )
    .map((pairs) =>
      pairs.map(([key, value]) => `${key}\n${key} = ${JSON.stringify(value)}`).join("\n"),
    );
  fc.assert(
    fc.property(fc.oneof(toml, json, keys, fc.string()), (text) => {
      try {
        parseDraft(text);
      } catch (error) {
        assert.ok(error instanceof DonjonError, `${error}`);
        assert.notEqual(error.code, "internal");
      }
    }),
    { numRuns: 3000 },
  );
});

test("a position is inside the text, whatever key is wrong", () => {
  const key = fc.string({ minLength: 1, maxLength: 8 }).map((name) => JSON.stringify(`zz${name}`));
  const lead = fc.constantFrom(
    "",
    "\n",
    "# [x] = {\n",
    'args = ["[", """\n]"""]\n',
    "env = {A='}'}\n",
    "[env]\nB='''\n=''''\n[limits]\n",
  );
  fc.assert(
    fc.property(lead, key, (before, name) => {
      const line = before.split("\n").length;
      refuses(`${before}${name} = 1`, "manifest/unknown-key", line, 1, /unknown key "zz/);
    }),
  );
});
