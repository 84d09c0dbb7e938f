import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createFiles, EXAMPLES, runCommand } from "./command.ts";
import { GUESTS } from "./guest.ts";

const COMMANDS = [
  ...["run", "init", "inspect"],
  ...["deploy", "ps", "logs", "attach", "stop", "rm", "attest"],
  ...["verify", "explain", "diff", "bundle", "policy"],
  ...["agent", "platform", "image", "completion"],
];

test("help lists the commands, and each command's help has examples", async () => {
  const help = await runCommand(["help"]);
  assert.equal(help.code, 0);
  for (const name of COMMANDS) assert.match(`${help.stdout}`, new RegExp(`^  ${name}\\b`, "m"));
  for (const name of COMMANDS) {
    const [one, two] = await Promise.all([
      runCommand(["help", name]),
      runCommand([name, "--help"]),
    ]);
    assert.deepEqual([one.code, two.code], [0, 0]);
    assert.match(`${one.stdout}`, /Usage: donjon \w+.*\n[\s\S]*Examples:\n {2}.*donjon/);
    assert.equal(`${one.stdout}`, `${two.stdout}`);
  }
});

test("the help of an agent's commands has examples, too", async () => {
  for (const words of ["agent stop", "agent token", "agent token add", "agent token set"]) {
    const { code, stdout } = await runCommand([...words.split(" "), "--help"]);
    assert.equal(code, 0);
    assert.match(
      `${stdout}`,
      new RegExp(`^Usage: donjon ${words} [\\s\\S]*\nExamples:\n {2}donjon ${words}`),
    );
  }
});

test("--version prints the version of the package", async () => {
  const { version } = JSON.parse(
    readFileSync(join(import.meta.dirname, "../package.json"), "utf8"),
  );
  const ended = await runCommand(["--version"]);
  assert.deepEqual([ended.code, `${ended.stdout}`], [0, `${version}\n`]);
});

test("no command and wrong commands are usage errors with a way on", async () => {
  const none = await runCommand([]);
  assert.equal(none.code, 125);
  assert.match(none.stderr, /Usage: donjon/);
  const wrong = await runCommand(["rnu"]);
  assert.equal(wrong.code, 125);
  assert.match(wrong.stderr, /unknown command 'rnu'.*did you mean run\?/);
  const unknown = await runCommand(["help", "polciy"]);
  assert.equal(unknown.code, 125);
  assert.match(
    unknown.stderr,
    /^donjon: 'donjon' has no command 'polciy'; did you mean policy\?\n/,
  );
  for (const [argv, above, name, near] of [
    [["rnu", "--help"], "donjon", "rnu", "run"],
    [["rnu", "app.wasm", "-h"], "donjon", "rnu", "run"],
    [["agent", "tokne", "--help"], "agent", "tokne", "token"],
    [["agent", "token", "ad", "x", "--help"], "token", "ad", "add"],
  ] as const) {
    const { code, stdout, stderr } = await runCommand(argv);
    assert.deepEqual([code, `${stdout}`], [125, ""], argv.join(" "));
    const sentence = `donjon: '${above}' has no command '${name}'; did you mean ${near}?`;
    assert.equal(stderr.split("\n")[0], sentence);
  }
  const argument = await runCommand(["stop", "web", "--help"]);
  assert.match(`${argument.stdout}`, /^Usage: donjon stop /);
  const group = await runCommand(["policy"]);
  assert.equal(group.code, 125);
  assert.match(group.stderr, /^Usage: donjon policy [\s\S]*docs\/formats\/policy\.md\.\n\n$/);
  const deep = await runCommand(["help", "agent", "token", "add"]);
  assert.match(`${deep.stdout}`, /^Usage: donjon agent token add /);
  const json = await runCommand(["run", "--json"]);
  assert.equal(JSON.parse(json.stderr).error.code, "usage");
});

test("stop --time is a duration like all others, of at most an hour", async () => {
  const env = { DONJON_AGENT: "unix:/nowhere/agent.sock" };
  for (const time of ["10", "soon", "-1s", "61min"]) {
    const { code, stderr } = await runCommand(["stop", `--time=${time}`, "web"], { env });
    assert.equal(code, 125);
    assert.match(
      stderr,
      /^donjon: --time is '\S+', and a duration such as "30 s" .* of at most 1 h /,
    );
  }
  const { stderr } = await runCommand(["stop", "--time=1h", "web"], { env });
  assert.doesNotMatch(stderr, /--time/);
  assert.match(stderr, /nowhere/);
});

test("an error has line and column of the manifest and the nearest key", async (t) => {
  const root = createFiles(t, { "donjon.toml": '[workload]\nfiel = "a.wasm"\n' });
  const ended = await runCommand(["run", "--insecure", "."], { cwd: root });
  assert.equal(ended.code, 125);
  assert.match(
    ended.stderr,
    /^donjon: donjon\.toml:2:1: unknown key "fiel" in 'workload'; did you mean 'file'\?\n {2}hint: /,
  );
});

test("inspect tells kind, imports, needs and grants, as text and as JSON", async (t) => {
  const text = await runCommand(["inspect", join(EXAMPLES, "hello")]);
  assert.equal(text.code, 0, text.stderr);
  for (const pattern of [
    /command \(WASI preview 1\)/,
    /wasi_snapshot_preview1\.fd_write \(i32, i32, i32, i32\) -> i32/,
    /files and directories +\/scratch \(in memory\)/,
    /descriptors +0 stdin, 1 stdout, 2 stderr, 3 \/scratch \(directory\)/,
    /toolchain/,
  ]) {
    assert.match(`${text.stdout}`, pattern);
  }
  const root = createFiles(t, {
    "a.wasm": GUESTS.cat(),
    "c.wasm": Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0),
    bad: "x",
  });
  const json = JSON.parse(
    `${(await runCommand(["inspect", "--json", join(root, "a.wasm")])).stdout}`,
  );
  assert.deepEqual(
    json.outline.imports.map(({ name }: { name: string }) => name),
    ["fd_read", "fd_write", "proc_exit", "fd_fdstat_get"],
  );
  assert.deepEqual(json.missing, []);
  const service = await runCommand(["inspect", join(EXAMPLES, "signing-service")]);
  assert.match(
    `${service.stdout}`,
    /listen https on 127\.0\.0\.1 port 8444 \(tls, certificate made by the Keep, answers for evidence\)/,
  );
  const component = await runCommand(["inspect", join(root, "c.wasm")]);
  assert.match(`${component.stdout}`, /component/);
  assert.equal((await runCommand(["inspect", join(root, "bad")])).code, 126);
  assert.equal((await runCommand(["inspect", join(root, "none")])).code, 127);
});

test("what cannot be written to stdout is a failure, and what nobody reads is none", (t) => {
  if (!existsSync("/dev/full")) return t.skip("no /dev/full here");
  const launcher = join(import.meta.dirname, "../bin/donjon");
  const sh = (line: string) => spawnSync("sh", ["-c", line], { encoding: "utf8" });
  const hello = join(EXAMPLES, "hello");
  for (const args of ["help", `inspect ${hello}`, `run --print-manifest ${hello}`]) {
    const full = sh(`${launcher} ${args} > /dev/full`);
    assert.equal(full.status, 125, args);
    assert.match(full.stderr, /^donjon: the output cannot be written: no space left on device\n/);
    const head = sh(`{ ${launcher} ${args}; echo $? >&2; } | head -c 1`);
    assert.deepEqual([head.stdout.length, head.stderr], [1, "0\n"], args);
  }
});

test("init writes a manifest that runs, once", async (t) => {
  const root = createFiles(t, { "prog.wasm": GUESTS.exit(9) });
  const first = await runCommand(["init", root]);
  assert.equal(first.code, 0, first.stderr);
  assert.equal((await runCommand(["run", "--insecure", root])).code, 9);
  const again = await runCommand(["init", root]);
  assert.equal(again.code, 125);
  assert.match(again.stderr, /is there already/);
  const two = createFiles(t, { "a.wasm": "", "b.wasm": "" });
  assert.match((await runCommand(["init", two])).stderr, /--module FILE/);
  assert.ok(!existsSync(join(two, "donjon.toml")));
});

test("init says that the module is not there yet, and tells what it wrote as JSON", async (t) => {
  const root = createFiles(t, { "one/donjon": "", "two/a.wasm": GUESTS.exit(0) });
  const text = await runCommand(["init", "one"], { cwd: root });
  assert.equal(text.code, 0, text.stderr);
  assert.match(
    `${text.stdout}`,
    /^wrote one\/donjon\.toml; 'main\.wasm' is not there yet: build it/,
  );
  const run = await runCommand(["run", "--insecure", "one"], { cwd: root });
  assert.equal(run.code, 127);
  assert.equal(
    run.stderr,
    "donjon: there is no file 'one/main.wasm', which the manifest names as the program; build it, or change the manifest\n",
  );
  const { stdout } = await runCommand(["init", "--json", "two"], { cwd: root });
  assert.deepEqual(JSON.parse(`${stdout}`), {
    file: "two/donjon.toml",
    module: "a.wasm",
    found: true,
  });
  const none = await runCommand(["init", "--json", "three"], { cwd: root });
  assert.equal(
    JSON.parse(none.stderr).error.message,
    "'three' cannot be read: no such file or directory",
  );
});

test("init translates an Enarx.toml", async (t) => {
  const root = createFiles(t, {
    "main.wasm": GUESTS.exit(8),
    "Enarx.toml": 'files = [{ kind = "stdout", name = "out" }]\n',
  });
  assert.equal((await runCommand(["init", root])).code, 0);
  assert.match(
    readFileSync(join(root, "donjon.toml"), "utf8"),
    /\[\[descriptors\]\]\nkind = "stdout"\nname = "out"\n/,
  );
  assert.equal((await runCommand(["run", "--insecure", root])).code, 8);
});

test("colours are there on a terminal only, and not with NO_COLOR", (t) => {
  const probe = spawnSync("script", ["--version"]);
  if (probe.status !== 0) return t.skip("no 'script' here to make a terminal");
  const run = (env: Record<string, string>) =>
    spawnSync(
      "script",
      [
        "-qec",
        `${join(import.meta.dirname, "../bin/donjon")} inspect ${join(EXAMPLES, "hello")}`,
        "/dev/null",
      ],
      { encoding: "utf8", env: { PATH: process.env["PATH"], TERM: "xterm", ...env } },
    ).stdout;
  assert.ok(run({}).includes("\u001b[1m"));
  assert.ok(!run({ NO_COLOR: "1" }).includes("\u001b["));
});
