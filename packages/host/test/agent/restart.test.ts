import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { connectAgent } from "@donjon/client/agent/connect";
import { openSession } from "@donjon/client/session";
import { isAlive, type ProcessMark, until } from "../../../../tests/support/processes.ts";
import { openDatabase } from "../../src/agent/state/database.ts";
import { KeepStore } from "../../src/agent/state/keep-store.ts";
import { startAgent } from "./support.ts";

function listProcesses(state: string, id: string): ProcessMark[] {
  return JSON.parse(readFileSync(join(state, "keeps", id, "processes.json"), "utf8"));
}

test("a restarted agent finds Keeps that run on, ended meanwhile or are lost", async (t) => {
  const first = await startAgent(t);
  const client = connectAgent(first.address);
  const [runs, ends, lost, removed] = [
    await client.createKeep({ name: "runs" }),
    await client.createKeep({ name: "ends" }),
    await client.createKeep({ name: "lost" }),
    await client.createKeep({ name: "removed" }),
  ];
  const marks = [ends, lost].map(({ id }) => listProcesses(first.state, id));
  await client.removeKeep(removed.id);
  await first.agent.close();

  process.kill(marks[0]![0]!.pid, "SIGTERM");
  process.kill(marks[1]![0]!.pid, "SIGKILL");
  await until("both are gone", () => !marks.flat().some(isAlive));

  await startAgent(t, { state: first.state });
  const states = Object.fromEntries((await client.listKeeps()).map((k) => [k.name, k.state]));
  assert.deepEqual(states, { runs: "running", ends: "ended", lost: "lost" });
  const session = openSession(await client.openSession(runs.id, { bare: true }));
  await session.hello;
  session.close();
  assert.equal((await client.getKeep("ends")).end?.reason, "stopped");
  assert.equal((await client.getKeep("lost")).end, null);
});

test("a warden that is killed makes its Keep lost at once, and nothing of it goes on", async (t) => {
  const { address, state } = await startAgent(t);
  const client = connectAgent(address);
  const { id } = await client.createKeep({});
  const marks = listProcesses(state, id);
  process.kill(marks[0]!.pid, "SIGKILL");
  await until("it is lost", async () => (await client.getKeep(id)).state === "lost");
  await until("its processes are gone", () => !marks.some(isAlive));
  await client.removeKeep(id);
  assert.deepEqual(readdirSync(join(state, "keeps")), []);
});

test("what an agent left half made or half removed, and folders that nobody knows, are gone after a start", async (t) => {
  const first = await startAgent(t);
  const client = connectAgent(first.address);
  const half = await client.createKeep({ name: "half-made" });
  const gone = await client.createKeep({ name: "half-removed" });
  const stray = await client.createKeep({ name: "stray" });
  const marks = [half, gone, stray].flatMap(({ id }) => listProcesses(first.state, id));
  await first.agent.close();
  const database = openDatabase(first.state);
  const store = new KeepStore(database);
  store.update(half.id, { state: "starting" });
  store.update(gone.id, { state: "removing" });
  store.delete(stray.id);
  database.close();
  mkdirSync(join(first.state, "keeps", "0123456789abcdef"));
  writeFileSync(join(first.state, "keeps", "0123456789abcdef", "order.json"), "{");

  await startAgent(t, { state: first.state });
  assert.deepEqual(await client.listKeeps(), []);
  assert.deepEqual(readdirSync(join(first.state, "keeps")), []);
  await until("their processes are gone", () => !marks.some(isAlive));
});

test("one state has one agent", async (t) => {
  const { state } = await startAgent(t);
  await assert.rejects(startAgent(t, { state }), { code: "agent/conflict" });
});

test("an agent that stops ends the Keeps that are nobody's", async (t) => {
  const { agent, state } = await startAgent(t, { pool: 1 });
  await until("the pool is full", () => pooled(state).length === 1);
  const marks = listProcesses(state, pooled(state)[0]!);
  await agent.close();
  assert.deepEqual(readdirSync(join(state, "keeps")), []);
  assert.ok(!marks.some(isAlive));
});

function pooled(state: string): string[] {
  const database = openDatabase(state);
  try {
    const keeps = new KeepStore(database).list();
    return keeps.filter((keep) => keep.state === "pooled").map((keep) => keep.id);
  } finally {
    database.close();
  }
}

test("an agent that stops lets sessions end by themselves, and cuts those that do not", async (t) => {
  const { agent, address } = await startAgent(t);
  const client = connectAgent(address);
  const { id } = await client.createKeep({});
  const stream = await client.openSession(id, { bare: true });
  const session = openSession(stream);
  await session.hello;
  const closing = agent.close({ drainMs: 100, endKeeps: true });
  await assert.rejects(client.listKeeps(), { code: "agent/unreachable" });
  await closing;
  await until("the session is over", () => stream.closed);
});

test("--end-keeps leaves the records, and no Keep", async (t) => {
  const first = await startAgent(t);
  const client = connectAgent(first.address);
  const { id } = await client.createKeep({});
  const marks = listProcesses(first.state, id);
  await first.agent.close({ endKeeps: true });
  assert.ok(!marks.some(isAlive));
  await startAgent(t, { state: first.state });
  assert.equal((await client.getKeep(id)).state, "ended");
});
