import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmodSync, existsSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { withCustomSection } from "@donjon/testkit/contract/guests";
import { createFiles, EXAMPLES, LAUNCHER, runCommand, startCommand, waitFor } from "./command.ts";
import { GUESTS } from "./guest.ts";

const HELLO = join(EXAMPLES, "hello/hello.wasm");

test("run gives the program's output and exit code, and nothing else in a pipe", async (t) => {
  const root = createFiles(t, { "a.wasm": GUESTS.exit(7) });
  const ended = await runCommand(["run", "--insecure", join(root, "a.wasm")]);
  assert.deepEqual([ended.code, `${ended.stdout}`, ended.stderr], [7, "", ""]);
  const hello = await runCommand(["run", "--insecure", HELLO, "--", "--json", "x"]);
  assert.equal(hello.code, 0, hello.stderr);
  assert.match(`${hello.stdout}`, /hello\.wasm --json x/);
});

test("run refuses without --insecure, and neither variables nor files can say it", async (t) => {
  const root = createFiles(t, {
    "a.wasm": GUESTS.exit(0),
    "donjon.toml": 'insecure = true\n[workload]\nfile = "a.wasm"\n',
  });
  const env = { DONJON_INSECURE: "1", INSECURE: "1", DONJON_BACKEND: "process" };
  for (const more of [[], ["--backend", "process"]]) {
    const ended = await runCommand(["run", join(root, "a.wasm"), ...more], { env });
    assert.equal(ended.code, 125);
    assert.match(ended.stderr, /no hardware protection/);
    assert.match(ended.stderr, /hint: .*--insecure/);
  }
  const file = await runCommand(["run", root], { env });
  assert.equal(file.code, 125);
  const behind = await runCommand(["run", join(root, "a.wasm"), "--", "--insecure"]);
  assert.equal(behind.code, 125);
  assert.match(behind.stderr, /no hardware protection/);
  const tee = await runCommand(["run", "--insecure", "--backend", "snp", join(root, "a.wasm")]);
  assert.equal(tee.code, 125);
  assert.match(tee.stderr, /'snp' cannot run here/);
});

test("each way to end has its exit code", async (t) => {
  const root = createFiles(t, {
    "trap.wasm": GUESTS.trap(),
    "spin.wasm": GUESTS.spin(),
    "text.wasm": "no wasm",
    "cut.wasm": GUESTS.trap().subarray(0, 40),
    "big.wasm": "",
    "Enarx/main.wasm": GUESTS.exit(3),
    "Enarx/Enarx.toml": 'foo = 1\nfiles = [{ kind = "stdout" }]\n',
  });
  truncateSync(join(root, "big.wasm"), 600 << 20);
  const cases: [string[], number, RegExp][] = [
    [["trap.wasm"], 134, /the workload trapped: .*\n +at /],
    [["spin.wasm", "--time", "200ms"], 124, /ended by its time limit of 200 ms/],
    [["text.wasm"], 126, /not WebAssembly/i],
    [["cut.wasm"], 126, /./],
    [["big.wasm"], 126, /at most 512 MiB/],
    [["none.wasm"], 127, /no file or directory/],
    [["."], 127, /donjon init/],
    [["Enarx"], 3, /'foo' is not known to Enarx/],
    [["trap.wasm", "--memory", "lots"], 125, /--memory is 'lots'/],
    [
      ["trap.wasm", "--memroy", "1"],
      125,
      /unknown option '--memroy'; did you mean --memory\?\n.*'donjon help run'/,
    ],
    [
      ["trap.wasm", "extra"],
      125,
      /too many arguments for 'run': 1 wanted, 2 found.* comes after --/,
    ],
    [["trap.wasm", "--verbose"], 125, /unknown option '--verbose'; .* comes after --/],
    [["trap.wasm", "--stdin", "tape"], 125, /--stdin is 'tape', and one of host, null is wanted\n/],
  ];
  for (const [args, code, message] of cases) {
    const ended = await runCommand(["run", "--insecure", ...args], { cwd: root });
    assert.equal(ended.code, code, `${args}: ${ended.stderr}`);
    assert.match(ended.stderr, message);
    assert.ok(!ended.stderr.includes("\u001b"), "no colours in a pipe");
  }
});

test("--json gives the summary or the error as the one line on stderr", async (t) => {
  const root = createFiles(t, { "a.wasm": GUESTS.exit(3) });
  const good = await runCommand(["run", "--insecure", "--json", join(root, "a.wasm")]);
  const { run } = JSON.parse(good.stderr);
  assert.equal(good.stderr.split("\n").length, 2);
  assert.equal(run.exitCode, 3);
  assert.deepEqual(run.outcome, { kind: "exit", code: 3 });
  assert.equal(run.protected, false);
  assert.equal(run.workload, createHash("sha256").update(GUESTS.exit(3)).digest("hex"));
  const bad = await runCommand(["run", "--json", join(root, "a.wasm")]);
  assert.equal(bad.code, 125);
  assert.equal(JSON.parse(bad.stderr).error.code, "backend/unprotected");
});

test("--summary says INSECURE in plain words and names the digests", async (t) => {
  const root = createFiles(t, { "a.wasm": GUESTS.exit(0) });
  const { stderr } = await runCommand(["run", "--insecure", "--summary", join(root, "a.wasm")]);
  assert.match(stderr, /protection +INSECURE: no hardware protects this run/);
  const manifest = await runCommand(["run", "--print-manifest", join(root, "a.wasm")]);
  assert.ok(stderr.includes(createHash("sha256").update(manifest.stdout).digest("hex")));
});

test("stdin streams to stdout whole, from a pipe, a file and a closed descriptor", async (t) => {
  const data = randomBytes(9 << 20);
  const root = createFiles(t, { "cat.wasm": GUESTS.cat(), data });
  const cat = join(root, "cat.wasm");
  const piped = await runCommand(["run", "--insecure", cat], { input: data });
  assert.equal(piped.code, 0, piped.stderr);
  assert.ok(piped.stdout.equals(data));
  const shell = (line: string) =>
    spawnSync("sh", ["-c", line], { encoding: "buffer", maxBuffer: 1 << 26, cwd: root });
  const file = shell(`'${LAUNCHER}' run --insecure cat.wasm < data > copy; echo $?`);
  assert.equal(`${file.stdout}`, "0\n");
  assert.ok(readFileSync(join(root, "copy")).equals(data));
  const closed = shell(`'${LAUNCHER}' run --insecure cat.wasm <&-; echo $?`);
  assert.equal(`${closed.stdout}${closed.stderr}`, "0\n");
  const none = shell(`'${LAUNCHER}' run --insecure cat.wasm --stdin null < data; echo $?`);
  assert.equal(`${none.stdout}`, "0\n");
});

test("a reader that goes away ends the run quietly, as SIGPIPE does", (t) => {
  const root = createFiles(t, { "flood.wasm": GUESTS.flood() });
  const line = `{ '${LAUNCHER}' run --insecure flood.wasm; echo $? > code; } | head -c 1`;
  const { stderr } = spawnSync("sh", ["-c", line], { cwd: root, encoding: "utf8" });
  assert.equal(readFileSync(join(root, "code"), "utf8"), "141\n");
  assert.equal(stderr, "");
});

test("output that cannot be written is a failure with a reason", (t) => {
  const root = createFiles(t, { "flood.wasm": GUESTS.flood() });
  const line = `'${LAUNCHER}' run --insecure flood.wasm > /dev/full; echo $?`;
  const ended = spawnSync("sh", ["-c", line], { cwd: root, encoding: "utf8" });
  assert.equal(ended.stdout, "125\n");
  assert.match(ended.stderr, /^donjon: the output cannot be written: no space left on device\n/);
});

test("a Keep that dies is told as such", async (t) => {
  const root = createFiles(t, { "cat.wasm": GUESTS.cat() });
  const child = startCommand(["run", "--insecure", join(root, "cat.wasm")]);
  child.stdin!.write("ready");
  await once(child.stdout!, "data");
  const keeps = spawnSync("ps", ["-o", "pid=", "--ppid", `${child.pid}`], { encoding: "utf8" });
  for (const pid of keeps.stdout.trim().split(/\s+/)) process.kill(Number(pid), "SIGKILL");
  const ended = await waitFor(child);
  assert.equal(ended.code, 125);
  assert.match(ended.stderr, /^donjon: the Keep was ended by SIGKILL before the run was over/);
});

test("no Keep outlives a command that is killed", async (t) => {
  const root = createFiles(t, { "spin.wasm": GUESTS.spin() });
  const child = startCommand([
    "run",
    "--insecure",
    "--stdin",
    "null",
    "--time",
    "100s",
    join(root, "spin.wasm"),
  ]);
  const keeps = () =>
    spawnSync("ps", ["-o", "pid=", "--ppid", `${child.pid}`], { encoding: "utf8" })
      .stdout.trim()
      .split(/\s+/)
      .filter((pid) => pid !== "");
  while (keeps().length === 0) await new Promise(setImmediate);
  const pids = keeps();
  child.kill("SIGKILL");
  await waitFor(child);
  const isThere = (pid: string) => {
    try {
      return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
    } catch {
      return false;
    }
  };
  const end = Date.now() + 10_000;
  while (pids.some(isThere) && Date.now() < end) await new Promise(setImmediate);
  assert.deepEqual(pids.filter(isThere), []);
});

test("Ctrl-C ends the program, also when nobody reads its output", async (t) => {
  const root = createFiles(t, { "flood.wasm": GUESTS.flood(), "cat.wasm": GUESTS.cat() });
  const cat = startCommand(["run", "--insecure", join(root, "cat.wasm")]);
  cat.stdin!.write("ready");
  cat.stdout!.once("data", () => cat.kill("SIGINT"));
  const ended = await waitFor(cat);
  assert.equal(ended.code, 130, ended.stderr);
  // Nobody reads on: the output is stuck, and neither one signal nor two may hang on that.
  for (const signals of [1, 2]) {
    const flood = startCommand(["run", "--insecure", join(root, "flood.wasm")]);
    const exit = new Promise((resolve) => flood.on("exit", resolve));
    await once(flood.stdout!, "readable");
    flood.stdout!.pause();
    for (let sent = 0; sent < signals; sent++) flood.kill("SIGINT");
    assert.equal(await exit, 130);
    flood.stdout!.destroy();
  }
});

test("flags build a manifest that --print-manifest shows and that runs the same", async (t) => {
  const root = createFiles(t, { "a.wasm": GUESTS.exit(4), "data/x": "1" });
  const flags = [
    "--env",
    "A=b",
    "--dir",
    "data:/d:rw",
    "--tmp",
    "--memory",
    "1MiB",
    "--listen",
    "web=8080/tls",
    "--connect",
    "db=localhost:5432",
  ];
  const { stdout, code } = await runCommand(
    ["run", "a.wasm", ...flags, "--print-manifest", "--", "one"],
    { cwd: root },
  );
  assert.equal(code, 0);
  const text = `${stdout}`;
  for (const line of [
    'args = ["one"]',
    'name = "a.wasm"',
    'A = "b"',
    'guest = "/d"',
    "writable = true",
    'guest = "/tmp"',
    'memory = "1 MiB"',
    'protocol = "tls"',
    "port = 5432",
  ]) {
    assert.ok(text.includes(`${line}\n`), `${line} in:\n${text}`);
  }
  assert.ok(!text.includes(root) && !text.includes('host = "data"'), "no path of this machine");
  for (const bad of [
    ["--dir", ""],
    ["--dir", "a:b:c:d"],
    ["--listen", "x"],
    ["--connect", "x=80"],
    ["--env", "=x"],
    ["--env", "NO_SUCH_VARIABLE"],
    ["--secret", "=x"],
    ["--time", "soon"],
  ]) {
    const ended = await runCommand(["run", "a.wasm", ...bad, "--print-manifest"], { cwd: root });
    assert.equal(ended.code, 125, `${bad}: ${ended.stderr}`);
    assert.match(ended.stderr, /^donjon: /);
  }
});

test("a manifest that pins everything is delivered as it is", async (t) => {
  const module = GUESTS.exit(5);
  const sha256 = createHash("sha256").update(module).digest("hex");
  const text = `# a comment counts\n[workload]\nsha256 = "${sha256}"\nfile = "a.wasm"\n`;
  const root = createFiles(t, { "a.wasm": module, "donjon.toml": text });
  const printed = await runCommand(["run", root, "--print-manifest"]);
  assert.equal(`${printed.stdout}`, text);
  assert.equal((await runCommand(["run", "--insecure", root])).code, 5);
  writeFileSync(join(root, "a.wasm"), GUESTS.exit(6));
  const changed = await runCommand(["run", "--insecure", root]);
  assert.equal(changed.code, 125);
  assert.match(changed.stderr, /the manifest wants/);
});

test("a large module, which is read while it is sent, runs as any other, and not at all with another digest than the one that is pinned", async (t) => {
  const module = withCustomSection(GUESTS.exit(5), new Uint8Array(1 << 20));
  const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
  const pin = (sha256: string) => `[workload]\nsha256 = "${sha256}"\nfile = "a.wasm"\n`;
  const files = { "a.wasm": module, "donjon.toml": pin(digest(module)), "data/x": "1" };
  const root = createFiles(t, files);
  assert.equal((await runCommand(["run", "--insecure", root])).code, 5);
  const run = ["run", "--insecure", "--json", join(root, "a.wasm"), "--dir", join(root, "data")];
  const free = await runCommand(run);
  assert.equal(free.code, 5);
  assert.equal(JSON.parse(free.stderr).run.workload, digest(module));
  writeFileSync(join(root, "donjon.toml"), pin(digest(GUESTS.exit(5))));
  const changed = await runCommand(["run", "--insecure", root]);
  assert.equal(changed.code, 125);
  assert.match(changed.stderr, /^donjon: the workload .* the manifest wants/m);
});

test("a secret needs a value, and never reaches the manifest", async (t) => {
  const root = createFiles(t, { "a.wasm": GUESTS.exit(0), key: "hush-hush" });
  const file = await runCommand(["run", "a.wasm", "--secret", "KEY=@key", "--print-manifest"], {
    cwd: root,
  });
  assert.match(`${file.stdout}`, /name = "KEY"/);
  assert.ok(!`${file.stdout}`.includes("hush"));
  const none = await runCommand(["run", "a.wasm", "--secret", "KEY", "--print-manifest"], {
    cwd: root,
  });
  assert.equal(none.code, 125);
  assert.match(none.stderr, /KEY is not set/);
});

test("a directory granted read-write comes back, and one granted read-only does not", async (t) => {
  const root = createFiles(t, { "texts/a.txt": "one two\ntwo\n", "out/.keep": "" });
  const index = join(EXAMPLES, "word-index/word-index.wasm");
  const ended = await runCommand(
    ["run", "--insecure", "--json", index, "--dir", "texts:/texts", "--dir", "out:/out:rw"],
    { cwd: root },
  );
  assert.equal(ended.code, 0, ended.stderr + ended.stdout);
  const { run } = JSON.parse(ended.stderr);
  const written = run.written as { host: string; paths: number }[];
  assert.deepEqual(
    written.map(({ host }) => host),
    ["out"],
  );
  assert.ok(written[0]!.paths > 0);
  assert.ok(!existsSync(join(root, "out/.donjon-changes")));
});

test("a directory granted read-write twice is refused before anything runs", async (t) => {
  const root = createFiles(t, { "data/file": "x" });
  const data = join(root, "data");
  const both = ["--dir", `${data}:/a:rw`, "--dir", `${data}/.:/b:rw`];
  const refused = await runCommand(["run", "--insecure", ...both, HELLO]);
  assert.equal(refused.code, 125);
  assert.match(refused.stderr, /granted read-write twice, as '\/a' and as '\/b'/);
  const one = ["--dir", `${data}:/a:rw`, "--dir", `${data}:/b`];
  assert.equal((await runCommand(["run", "--insecure", ...one, HELLO])).code, 0);
});

test("a directory that cannot be written is refused before the program runs", async (t) => {
  const root = createFiles(t, { "data/file": "x" });
  const data = join(root, "data");
  chmodSync(root, 0o755);
  chmodSync(data, 0o555);
  // Nothing is closed to root: somebody else tries.
  const other = ["--reuid", "65534", "--regid", "65534", "--clear-groups"];
  const before = process.getuid?.() === 0 ? ["setpriv", ...other] : ["env"];
  const run = (...args: string[]) =>
    spawnSync(before[0]!, [...before.slice(1), LAUNCHER, ...args], { encoding: "utf8", cwd: "/" });
  if (run("--version").status !== 0) return t.skip("no other user can run the command here");
  const ended = run("run", "--insecure", "--dir", `${data}:/data:rw`, HELLO);
  assert.deepEqual([ended.status, ended.stdout], [125, ""]);
  assert.match(
    ended.stderr,
    /'.*data' is granted read-write, .*: permission denied; grant it without rw/,
  );
});
