import assert from "node:assert/strict";
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { openSession } from "@donjon/client/session";
import { MAX_CONSOLE_BYTES } from "@donjon/protocol/agent/limits";
import { encodeCatGuest } from "@donjon/testkit/contract/guests";
import { createProvision, readAll } from "@donjon/testkit/contract/keep-fixture";
import { until } from "../../../../tests/support/processes.ts";
import { askWarden, openWarden } from "../../src/warden/call.ts";
import { openConsoleFile } from "../../src/warden/console-file.ts";
import { endWarden } from "../../src/warden/end.ts";
import {
  describeKeepFolder,
  type KeepFolder,
  readEnd,
  readProcesses,
} from "../../src/warden/folder.ts";
import { isRunning, listDescendants, markProcess } from "../../src/warden/process-tree.ts";
import { startWarden } from "../../src/warden/start.ts";
import { WARDEN_COMMAND } from "../agent/support.ts";

const NO_LIMITS = { lifetimeMs: null, memoryBytes: null, bandwidthBytesPerS: null };
const NOTHING = { listeners: [], connections: [], limits: NO_LIMITS, network: null };

async function makeFolder(t: TestContext): Promise<KeepFolder> {
  const parent = await mkdtemp(join(tmpdir(), "donjon-warden-"));
  const folder = describeKeepFolder(join(parent, "keep"));
  t.after(async () => {
    await endWarden(folder);
    await rm(parent, { recursive: true, force: true });
  });
  return folder;
}

async function start(
  t: TestContext,
  bandwidthBytesPerS: number | null = null,
): Promise<KeepFolder> {
  const folder = await makeFolder(t);
  await startWarden(WARDEN_COMMAND, folder, { backend: "process", bandwidthBytesPerS });
  return folder;
}

test("a warden answers for its Keep, which is given sockets once", async (t) => {
  const folder = await start(t);
  const report = await askWarden(folder, { do: "inspect" });
  assert.equal(report?.assigned, false);
  assert.equal(report?.health, "new");
  assert.equal((await askWarden(folder, { do: "assign", assignment: NOTHING }))?.assigned, true);
  await assert.rejects(askWarden(folder, { do: "assign", assignment: NOTHING }), {
    code: "keep/state",
  });
});

test("a warden holds a Keep to its rules, whatever the agent has looked at, and takes none that it cannot read", async (t) => {
  const network = { connect: ["*:*"], listen: ["127.0.0.1:8000-8010"] };
  const listeners = [{ name: "http", address: "127.0.0.1", port: 8011 }];
  await assert.rejects(
    askWarden(await start(t), { do: "assign", assignment: { ...NOTHING, listeners, network } }),
    { code: "agent/forbidden", message: /may not listen on 127\.0\.0\.1:8011/ },
  );
  const wrong = { ...network, connect: ["everything"] };
  await assert.rejects(
    askWarden(await start(t), { do: "assign", assignment: { ...NOTHING, network: wrong } }),
    { code: "usage", message: /the rule 'everything' cannot be used/ },
  );
});

test("a Keep that ends by itself leaves its end behind, and no process", async (t) => {
  const folder = await start(t);
  const marks = readProcesses(folder);
  assert.ok(marks.length > 1, "the warden and its Keep");
  const { socket } = await openWarden(folder, { do: "watch" });
  const closed = new Promise((resolve) => socket.on("close", resolve));
  socket.resume();
  // The engine, deepest in the tree.
  process.kill(marks.at(-1)!.pid, "SIGKILL");
  await closed;
  assert.equal(readEnd(folder)?.reason, "exited");
  await until("nothing is left", () => !marks.some(isRunning));
});

test("a warden that is killed takes a Keep with it that never comes back to its event loop", async (t) => {
  const folder = await makeFolder(t);
  const runtime = `${folder.path}.cjs`;
  writeFileSync(runtime, 'require("node:fs").writeSync(2, "spins\\n"); for (;;);');
  process.env["DONJON_TEST_RUNTIME"] = runtime;
  t.after(() => delete process.env["DONJON_TEST_RUNTIME"]);
  const starting = startWarden(WARDEN_COMMAND, folder, {
    backend: "process",
    bandwidthBytesPerS: null,
  });
  const refused = assert.rejects(starting, { code: "keep/start" });
  await until(
    "the Keep spins",
    () => existsSync(folder.console) && /spins/.test(readFileSync(folder.console, "utf8")),
  );
  const [warden] = readProcesses(folder);
  const marks = [warden!, ...listDescendants(warden!.pid)];
  assert.ok(marks.length >= 3, "the warden, its Keep and the watch");
  process.kill(warden!.pid, "SIGKILL");
  await until("nothing is left", () => !marks.some(isRunning));
  await refused;
});

test("a Keep whose record is gone ends, though nobody told its warden", async (t) => {
  const folder = await start(t);
  const marks = readProcesses(folder);
  renameSync(folder.path, `${folder.path}-gone`);
  await until("nothing is left", () => !marks.some(isRunning));
});

test("a warden without its socket is ended by what it wrote about itself", async (t) => {
  const folder = await start(t);
  const marks = readProcesses(folder);
  rmSync(folder.socket);
  await assert.rejects(askWarden(folder, { do: "inspect" }), { code: "keep/lost" });
  await endWarden(folder);
  assert.ok(!marks.some(isRunning));
});

test("a warden that cannot start its Keep says why", async (t) => {
  const folder = await makeFolder(t);
  const command = [process.execPath, "-e", "process.exit(3)"];
  const order = { backend: "process", bandwidthBytesPerS: null } as const;
  await assert.rejects(startWarden(command, folder, order), { code: "keep/start" });
  const missing = describeKeepFolder(`${folder.path}-2`);
  await assert.rejects(startWarden(["/nowhere/at/all"], missing, order), { code: "keep/start" });
});

test("what goes through a limited Keep is slow and whole", async (t) => {
  const rate = 128 << 10;
  const folder = await start(t, rate);
  const { socket } = await openWarden(folder, { do: "bare" });
  const run = openSession(socket).provision(createProvision(encodeCatGuest()));
  socket.resume();
  await run.started;
  const started = performance.now();
  const sent = Buffer.alloc(150_000, "abcdefg");
  run.stdin.end(sent);
  run.stderr.resume();
  assert.ok((await readAll(run.stdout)).equals(sent));
  assert.deepEqual((await run.result).outcome, { kind: "exit", code: 0 });
  // There and back, less what was in reserve.
  const leastMs = ((2 * sent.length - rate) * 1000) / rate;
  const elapsedMs = performance.now() - started;
  assert.ok(elapsedMs > leastMs, `${elapsedMs} ms, wanted ${leastMs}`);
});

test("octets of sessions are counted", async (t) => {
  const folder = await start(t);
  const { socket } = await openWarden(folder, { do: "bare" });
  const session = openSession(socket);
  socket.resume();
  await session.hello;
  const report = await askWarden(folder, { do: "inspect" });
  assert.ok((report?.sessionBytes ?? 0) > 0);
  session.close();
});

test("a console that never stops fills no disk", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "donjon-console-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, "console.log");
  const write = openConsoleFile(path);
  const line = "x".repeat(1000);
  for (let i = 0; i < 2000; i++) write(line);
  const text = readFileSync(path, "utf8");
  assert.ok(text.length <= MAX_CONSOLE_BYTES, `${text.length} characters`);
  assert.match(text, /\nx{1000}\n\(no more lines are kept\)\n$/);
});

test("a process is known by its start time, not by its number alone", () => {
  const self = markProcess(process.pid)!;
  assert.ok(isRunning(self));
  assert.ok(!isRunning({ ...self, startTime: "1" }));
  assert.equal(markProcess(2 ** 22 + 1), null);
  assert.ok(!listDescendants(process.pid).some(({ pid }) => pid === process.pid));
  assert.ok(existsSync("/proc/self/stat"));
});
