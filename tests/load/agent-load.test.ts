/**
 * The agent under load (issue 4): Keeps at once and in sequence, the agent killed in between. Nothing that ran is lost, nothing
 * that was removed is left, nothing grows. `DONJON_LOAD=full` runs all of it; a few of each run with the other tests.
 */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { KeepRecord } from "@donjon/client/agent/client";
import { makeFolder } from "../support/keep.ts";
import { isAlive, type ProcessMark, until } from "../support/processes.ts";
import { AgentProcess } from "./agent-process.ts";
import { type Figures, formatGrowth, measure } from "./figures.ts";
import { Owner } from "./keep-life.ts";

const FULL = process.env["DONJON_LOAD"] === "full";
const SIZE = FULL
  ? { atOnce: 50, inSequence: 500, kills: 10, longLived: 5, settled: 200 }
  : { atOnce: 6, inSequence: 14, kills: 4, longLived: 2, settled: 6 };
const TIMEOUT_MS = FULL ? 3_600_000 : 170_000;

/** Over a life of the agent with hundreds of Keeps; an engine's heap breathes by less. */
const MEMORY_SLACK = 40 << 20;

/** When the agent is killed in the life of a Keep, in turn. */
const STAGES = ["creating", "attached", "running", "removing"] as const;
type Stage = (typeof STAGES)[number];

interface Bench {
  readonly agent: AgentProcess;
  readonly owner: Owner;
  /** Every process of every Keep there ever was. */
  readonly processes: ProcessMark[];
}

const notThere = (error: unknown): boolean =>
  (error as { code?: string }).code === "agent/not-found";

async function create({ agent, processes }: Bench, name: string): Promise<KeepRecord> {
  const keep = await agent.client.createKeep({ name });
  processes.push(...agent.listProcesses(keep.id));
  return keep;
}

async function remove({ agent }: Bench, keep: KeepRecord): Promise<void> {
  await agent.client.removeKeep(keep.id);
  await assert.rejects(agent.client.getKeep(keep.id), notThere);
}

async function live(bench: Bench, name: string): Promise<void> {
  const keep = await create(bench, name);
  await bench.owner.deploy(keep);
  await bench.owner.finish(keep, `${name} `);
  await remove(bench, keep);
}

/** The same life, with the agent killed and started again in the middle of it. */
async function liveThroughKill(bench: Bench, name: string, stage: Stage): Promise<void> {
  const { agent, owner } = bench;
  if (stage === "creating") {
    const making = agent.client.createKeep({ name });
    making.catch(() => {});
    const before = agent.listFolders();
    await until("the Keep is being made", () =>
      agent.listFolders().some((id) => !before.includes(id)),
    );
    await agent.restart();
    await assert.rejects(making);
    await assert.rejects(agent.client.getKeep(name), notThere, "what was half made is gone");
  }
  const keep = await create(bench, name);
  await owner.deploy(keep);
  if (stage === "attached") {
    await owner.attach(keep, "before ");
    await agent.restart();
  }
  if (stage === "running") await agent.restart();
  assert.equal((await agent.client.getKeep(name)).health, "running");
  await owner.finish(keep, `${name} `);
  if (stage === "removing") {
    const removing = agent.client.removeKeep(keep.id).catch(() => {});
    await agent.restart();
    await removing;
    await agent.client
      .removeKeep(keep.id)
      .catch((error) => assert.ok(notThere(error), String(error)));
  } else await remove(bench, keep);
  assert.ok(!agent.listFolders().includes(keep.id));
}

test("Keeps at once and in sequence, and an agent that is killed, lose nothing and leave nothing", {
  timeout: TIMEOUT_MS,
}, async (t) => {
  const agent = new AgentProcess(await makeFolder(t));
  await agent.start();
  const bench: Bench = { agent, owner: await Owner.create(agent.client), processes: [] };
  t.after(() => endAll(bench));

  const names = Array.from({ length: SIZE.longLived }, (_, i) => `long-${i}`);
  const longLived = await Promise.all(names.map((name) => create(bench, name)));
  await Promise.all(longLived.map((keep) => bench.owner.deploy(keep)));
  const wardens = longLived.map(({ id }) => agent.listProcesses(id)[0]!);

  let started = performance.now();
  await Promise.all(Array.from({ length: SIZE.atOnce }, (_, i) => live(bench, `once-${i}`)));
  t.diagnostic(`${SIZE.atOnce} at once: ${seconds(started)} s`);

  started = performance.now();
  const settledFrom = SIZE.inSequence - SIZE.settled;
  const killEvery = Math.floor(settledFrom / SIZE.kills);
  let kills = 0;
  let before: { agent: Figures; wardens: readonly Figures[] } | null = null;
  for (let i = 0; i < SIZE.inSequence; i++) {
    // The last stretch is one life of the agent, in which nothing may grow.
    if (i === settledFrom) before = { agent: measure(agent.mark), wardens: wardens.map(measure) };
    if (i < settledFrom && i % killEvery === 0 && kills < SIZE.kills) {
      await liveThroughKill(bench, `killed-${i}`, STAGES[kills % STAGES.length]!);
      kills += 1;
      await checkLongLived(bench, longLived);
    } else await live(bench, `next-${i}`);
    await bench.owner.prove(longLived[i % longLived.length]!);
  }
  assert.equal(kills, SIZE.kills);
  t.diagnostic(`${SIZE.inSequence} in sequence, ${kills} kills: ${seconds(started)} s`);
  await checkLongLived(bench, longLived);
  await checkGrowth(t, bench, wardens, before!);

  for (const keep of longLived) {
    await bench.owner.finish(keep, "last ");
    await remove(bench, keep);
  }
  assert.deepEqual(await agent.client.listKeeps(), []);
  assert.deepEqual(agent.listFolders(), []);
  await until("every process of every Keep is gone", () => !bench.processes.some(isAlive));
  assert.equal(await agent.stop(), 0, agent.log);
});

async function checkLongLived({ agent }: Bench, keeps: readonly KeepRecord[]): Promise<void> {
  for (const { id, name } of keeps) {
    const { state, health } = await agent.client.getKeep(id);
    assert.deepEqual({ name, state, health }, { name, state: "running", health: "running" });
  }
}

async function checkGrowth(
  t: TestContext,
  { agent }: Bench,
  wardens: readonly ProcessMark[],
  before: { agent: Figures; wardens: readonly Figures[] },
): Promise<void> {
  const rows = () => [
    { what: "agent", before: before.agent, after: measure(agent.mark) },
    ...wardens.map((mark, i) => ({
      what: `warden ${i}`,
      before: before.wardens[i]!,
      after: measure(mark),
    })),
  ];
  // Connections of a moment ago may still be closing.
  await until("descriptors are as before", () =>
    rows().every(({ before, after }) => after.descriptors <= before.descriptors),
  ).catch(() => {});
  for (const line of formatGrowth(rows()).split("\n")) t.diagnostic(line);
  for (const { what, before, after } of rows()) {
    assert.ok(after.descriptors <= before.descriptors, `${what} has more descriptors`);
    const grown = after.residentBytes - before.residentBytes;
    assert.ok(grown < MEMORY_SLACK, `${what} has grown by ${grown} bytes`);
  }
}

/** After a failure as well: nothing of a test may go on. */
async function endAll({ agent, processes }: Bench): Promise<void> {
  await agent.kill();
  for (const mark of processes) if (isAlive(mark)) process.kill(mark.pid, "SIGKILL");
}

function seconds(started: number): string {
  return ((performance.now() - started) / 1000).toFixed(1);
}
