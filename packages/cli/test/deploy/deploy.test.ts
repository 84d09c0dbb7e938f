/** The life of a deployed program, as its owner sees it. */
import assert from "node:assert/strict";
import { closeSync, openSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createFiles, EXAMPLES, waitFor } from "../command.ts";
import { GUESTS } from "../guest.ts";
import { startAgent } from "./agent.ts";
import { untilSays } from "./says.ts";

const LIMIT = { timeout: 120_000 };
const HELLO = join(EXAMPLES, "hello");

test(
  "deploy joins a program to this process: stdin, stdout, arguments, exit code",
  LIMIT,
  async (t) => {
    const agent = await startAgent(t);
    const root = createFiles(t, { "cat.wasm": GUESTS.cat(), "seven.wasm": GUESTS.exit(7) });
    const hello = await agent.run(["deploy", "--insecure", HELLO, "--", "--detach", "x"]);
    assert.equal(hello.code, 0, hello.stderr);
    assert.match(hello.out, /hello\.wasm --detach x/);
    assert.equal(hello.stderr, "");
    const input = "a line\n".repeat(100_000);
    const cat = await agent.run(["deploy", "--insecure", join(root, "cat.wasm")], { input });
    assert.equal(cat.code, 0, cat.stderr);
    assert.equal(cat.out, input);
    const seven = await agent.run(["deploy", "--insecure", join(root, "seven.wasm")]);
    assert.equal(seven.code, 7, seven.stderr);
    const left = await agent.run(["ps", "--all", "--json"]);
    assert.deepEqual(JSON.parse(left.out), { keeps: [] });
  },
);

test(
  "deploy has the exit codes of run: traps, limits, modules that are none, and Ctrl-C",
  LIMIT,
  async (t) => {
    const agent = await startAgent(t);
    const root = createFiles(t, {
      "trap.wasm": GUESTS.trap(),
      "spin.wasm": GUESTS.spin(),
      "text.wasm": "no wasm",
      "cat.wasm": GUESTS.cat(),
    });
    const cases: [string[], number, RegExp][] = [
      [["trap.wasm"], 134, /the workload trapped/],
      [["spin.wasm", "--time", "200ms"], 124, /ended by its time limit/],
      [["text.wasm"], 126, /not WebAssembly/i],
      [["none.wasm"], 127, /no file or directory/],
    ];
    for (const [args, code, says] of cases) {
      const ended = await agent.run(["deploy", "--insecure", ...args], { cwd: root });
      assert.equal(ended.code, code, ended.stderr);
      assert.match(ended.stderr, says);
    }
    const cat = agent.start(["deploy", "--insecure", join(root, "cat.wasm")]);
    cat.stdin!.write("there\n");
    await untilSays(cat, "there");
    cat.kill("SIGINT");
    assert.equal((await waitFor(cat)).code, 130);
    const left = await agent.run(["ps", "--all", "--json"]);
    assert.deepEqual(JSON.parse(left.out), { keeps: [] });
  },
);

test(
  "deploy brings back what changed in a directory, and gives a secret that nothing shows",
  LIMIT,
  async (t) => {
    const agent = await startAgent(t);
    const index = join(EXAMPLES, "word-index");
    const text = createFiles(t, { "a.txt": "one two two\n" });
    const out = createFiles(t, {});
    const dirs = ["--dir", `${text}:/texts`, "--dir", `${out}:/out:rw`];
    const ended = await agent.run(["deploy", "--insecure", index, ...dirs]);
    assert.equal(ended.code, 0, ended.stderr);
    assert.match(ended.out, /1 files, 3 words, 2 different/);
    const [written] = readdirSync(out);
    assert.match(readFileSync(join(out, written!), "utf8"), /two/);
    const detached = await agent.run(["deploy", "--insecure", "-d", index, ...dirs]);
    assert.equal(detached.code, 125);
    assert.match(detached.stderr, /nobody waits for the changes to '\/out'/);
    const key = join(text, "key.hex");
    writeFileSync(key, "5e".repeat(32));
    const signer = ["deploy", "--insecure", "--summary", join(EXAMPLES, "signer")];
    const signed = await agent.run([...signer, "--secret", `SIGNING_KEY=@${key}`], {
      input: "m\n",
    });
    assert.equal(signed.code, 0, signed.stderr);
    assert.match(signed.out, /^public key [0-9a-f]{64}/);
    assert.doesNotMatch(signed.out + signed.stderr, /5e5e5e5e/);
  },
);

test("a detached program is listed, attached to, read, stopped and removed", LIMIT, async (t) => {
  const agent = await startAgent(t);
  const root = createFiles(t, { "cat.wasm": GUESTS.cat() });
  const cat = join(root, "cat.wasm");
  const deployed = await agent.run(["deploy", "--insecure", "-d", "--name", "web", "--json", cat]);
  assert.equal(deployed.code, 0, deployed.stderr);
  const { keep, name, manifest, workload, owner } = JSON.parse(deployed.out).deployed;
  assert.equal(name, "web");
  for (const digest of [manifest, workload, owner]) assert.match(digest, /^[0-9a-f]{64}$/);

  const ps = await agent.run(["ps"]);
  assert.match(ps.out, new RegExp(`^${keep} +web +running +process +INSECURE`, "m"));
  const again = await agent.run(["deploy", "--insecure", "-d", "--name", "web", cat]);
  assert.equal(again.code, 125);
  assert.match(again.stderr, /'?web'?/);

  const attached = agent.start(["attach", "--insecure", "web"]);
  attached.stdin!.write("first line\n");
  await untilSays(attached, "first line");
  attached.kill("SIGINT");
  const left = await waitFor(attached);
  assert.deepEqual([left.code, left.stderr], [0, "donjon: left 'web' running\n"]);

  const logs = await agent.run(["logs", "--insecure", keep.slice(0, 6)]);
  assert.deepEqual([logs.code, logs.out], [0, "first line\n"]);
  const followed = agent.start(["logs", "--insecure", "-f", "web"]);
  const followedEnd = waitFor(followed);
  await untilSays(followed, "first line");
  const refused = await agent.run(["rm", "web"]);
  assert.equal(refused.code, 125);
  assert.match(refused.stderr, /donjon stop web.*--force/);

  const stopped = await agent.run(["stop", "--insecure", "--time", "1min", "--json", "web"]);
  assert.equal(stopped.code, 0, stopped.stderr);
  assert.deepEqual(JSON.parse(stopped.out).stopped.outcome, { kind: "stopped", how: "interrupt" });
  assert.equal((await followedEnd).code, 0);
  assert.match((await agent.run(["ps"])).out, /^KEEP[^\n]*\n$/);
  assert.match((await agent.run(["ps", "-a"])).out, /web +stopped/);
  const late = await agent.run(["logs", "--insecure", "web"]);
  assert.equal(late.code, 125);
  assert.match(late.stderr, /'web' is ended/);
  assert.equal((await agent.run(["rm", "web"])).code, 0);
  assert.match((await agent.run(["ps", "-a"])).out, /^KEEP[^\n]*\n$/);
  assert.match((await agent.run(["rm", "web"])).stderr, /web/);
});

test(
  "a detached program that exits at once gives its code, and its output is kept",
  LIMIT,
  async (t) => {
    const agent = await startAgent(t);
    const root = createFiles(t, {
      "bad.wasm": GUESTS.exit(7),
      "good.wasm": GUESTS.exit(0),
      "trap.wasm": GUESTS.trap(),
    });
    const deploy = (name: string, ...more: string[]) =>
      agent.run([
        "deploy",
        "--insecure",
        "-d",
        "--name",
        name,
        ...more,
        join(root, `${name}.wasm`),
      ]);
    const bad = await deploy("bad");
    assert.equal(bad.code, 7, bad.stderr);
    assert.match(bad.stderr, /it has exited already, with code 7\n.*donjon logs --insecure bad\n/);
    assert.doesNotMatch(bad.stderr, /it runs on/);
    assert.match((await agent.run(["ps"])).out, /bad +exited/);
    assert.equal((await agent.run(["logs", "--insecure", "bad"])).code, 0);
    const good = await deploy("good", "--json");
    assert.equal(good.code, 0, good.stderr);
    assert.deepEqual(JSON.parse(good.out).deployed.outcome, { kind: "exit", code: 0 });
    const trap = await deploy("trap", "-q");
    assert.equal(trap.code, 134, trap.stderr);
    assert.match(trap.stderr, /the workload trapped/);
    const removed = await agent.run(["rm", "bad"]);
    assert.deepEqual([removed.code, removed.out], [0, "bad\n"], "its program is over");
  },
);

test("logs and attach say so when the output cannot be written", LIMIT, async (t) => {
  const agent = await startAgent(t);
  const root = createFiles(t, { "cat.wasm": GUESTS.cat() });
  await agent.run(["deploy", "--insecure", "-d", "--name", "cat", join(root, "cat.wasm")]);
  const first = agent.start(["attach", "--insecure", "cat"]);
  first.stdin!.write("a line\n");
  await untilSays(first, "a line");
  first.kill("SIGINT");
  await waitFor(first);
  const full = openSync("/dev/full", "w");
  t.after(() => closeSync(full));
  for (const args of [["logs"], ["attach", "--no-stdin"]]) {
    const stdio: ["ignore", number, "pipe"] = ["ignore", full, "pipe"];
    const { code, stderr } = await agent.run([...args, "--insecure", "cat"], { stdio });
    assert.equal(code, 125, stderr);
    assert.match(stderr, /the output cannot be written: no space left on device/);
  }
});

test("attach gives a program its input's end, and its exit code", LIMIT, async (t) => {
  const agent = await startAgent(t);
  const root = createFiles(t, { "cat.wasm": GUESTS.cat(), "trap.wasm": GUESTS.trap() });
  await agent.run(["deploy", "--insecure", "-d", "--name", "cat", join(root, "cat.wasm")]);
  const ended = await agent.run(["attach", "--insecure", "cat"], { input: "all of it\n" });
  assert.deepEqual([ended.code, ended.out], [0, "all of it\n"]);
  assert.match((await agent.run(["ps"])).out, /cat +exited/);
  const logs = await agent.run(["logs", "--insecure", "cat"]);
  assert.deepEqual([logs.code, logs.out], [0, "all of it\n"]);
  await agent.run(["deploy", "--insecure", "-d", "--name", "trap", join(root, "trap.wasm")]);
  const trap = await agent.run(["attach", "--insecure", "--no-stdin", "trap"]);
  assert.equal(trap.code, 134, trap.stderr);
  assert.match(trap.stderr, /the workload trapped/);
});

test(
  "stop --force and rm --force need no session, and end what does not listen",
  LIMIT,
  async (t) => {
    const agent = await startAgent(t);
    const root = createFiles(t, { "spin.wasm": GUESTS.spin() });
    const deploy = ["deploy", "--insecure", "-q", "-d", join(root, "spin.wasm")];
    for (const name of ["one", "two"]) {
      const { code, stderr } = await agent.run([...deploy, "--name", name]);
      assert.equal(code, 0, stderr);
      assert.equal(stderr, "");
    }
    const stopped = await agent.run(["stop", "--force", "one"]);
    assert.deepEqual([stopped.code, stopped.out], [0, "one\n"]);
    const removed = await agent.run(["rm", "-f", "one", "two", "none", "nor"]);
    assert.match(removed.stderr, /no Keep 'none'[\s\S]*no Keep 'nor'/, "each that could not be");
    assert.deepEqual([removed.code, removed.out], [125, "one\ntwo\n"]);
    assert.match(removed.stderr, /none/);
  },
);

test("Ctrl-C before the program runs leaves no Keep behind", LIMIT, async (t) => {
  const agent = await startAgent(t);
  const root = createFiles(t, { "cat.wasm": GUESTS.cat() });
  for (const more of [[], ["--detach"]]) {
    const child = agent.start(["deploy", "--insecure", ...more, join(root, "cat.wasm")]);
    const ended = waitFor(child);
    for (;;) {
      const { keeps } = JSON.parse((await agent.run(["ps", "--all", "--json"])).out);
      if (keeps.length > 0) break;
    }
    child.kill("SIGINT");
    const { code, stdout } = await ended;
    const left = JSON.parse((await agent.run(["ps", "--all", "--json"])).out).keeps;
    // A detached one that was through already has said so, and stays.
    assert.deepEqual([code, left.length], `${stdout}`.length > 0 ? [0, 1] : [130, 0]);
  }
});

test("without an agent every command says how to start one", LIMIT, async (t) => {
  const home = createFiles(t, { "a.wasm": GUESTS.exit(0) });
  const { runCommand } = await import("../command.ts");
  const env = { HOME: home, XDG_STATE_HOME: join(home, "s"), XDG_RUNTIME_DIR: join(home, "r") };
  for (const args of [["ps"], ["deploy", join(home, "a.wasm")], ["attest", "x"]]) {
    const ended = await runCommand(args, { env: { ...env, DONJON_AGENT: undefined } });
    assert.equal(ended.code, 125);
    assert.match(ended.stderr, /no agent listens on this machine.*donjon agent.*--agent/);
    const gone = await runCommand(args, { env: { ...env, DONJON_AGENT: `unix:${home}/no.sock` } });
    assert.equal(gone.code, 125);
    assert.match(gone.stderr, /no agent runs there; start one with 'donjon agent'/);
  }
});
