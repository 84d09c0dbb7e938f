import assert from "node:assert/strict";
import { chmodSync, existsSync, readdirSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { connectAgent } from "@donjon/client/agent/connect";
import { openSession } from "@donjon/client/session";
import { makeState, startAgent } from "./support.ts";

const isError = (code: string, message: RegExp) => (error: unknown) => {
  const found = error as { code?: string; message?: string };
  assert.equal(found.code, code, String(error));
  assert.match(found.message ?? "", message);
  return true;
};

test("a Keep is made, listed, talked to, stopped and removed through the socket", async (t) => {
  const { address, state } = await startAgent(t);
  const agent = connectAgent(address);
  const made = await agent.createKeep({ name: "web", labels: { tier: "test" } });
  assert.equal(made.name, "web");
  assert.equal(made.backend, "process");
  assert.equal(made.protects, false);
  assert.equal(made.state, "running");
  assert.equal(made.health, "new");
  assert.equal(made.owner, `user:${process.getuid!()}`);
  assert.deepEqual(made.labels, { tier: "test" });
  assert.deepEqual(
    (await agent.listKeeps()).map(({ id }) => id),
    [made.id],
  );
  for (const wanted of [made.id, "web", made.id.slice(0, 6)])
    assert.equal((await agent.getKeep(wanted)).id, made.id);

  const session = openSession(await agent.openSession("web", { bare: true }));
  assert.match((await session.hello).engine, /./);
  session.close();

  const stopped = await agent.stopKeep("web");
  assert.equal(stopped.state, "ended");
  assert.equal(stopped.end?.reason, "stopped");
  await assert.rejects(agent.openSession("web"), isError("agent/state", /'web' is ended/));
  await agent.removeKeep("web");
  assert.deepEqual(await agent.listKeeps(), []);
  assert.deepEqual(readdirSync(join(state, "keeps")), []);
  await assert.rejects(agent.getKeep(made.id), isError("agent/not-found", /there is no Keep/));
});

test("a name is used once, and a port that is taken is said, with nothing left behind", async (t) => {
  const { address, state } = await startAgent(t);
  const agent = connectAgent(address);
  await agent.createKeep({ name: "one" });
  await assert.rejects(agent.createKeep({ name: "one" }), isError("agent/conflict", /'one'/));
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  t.after(() => taken.close());
  const { port } = taken.address() as { port: number };
  const listeners = [{ name: "http", address: "127.0.0.1", port }];
  await assert.rejects(agent.createKeep({ listeners }), isError("gate/refused", /listens there/));
  await assert.rejects(
    startAgent(t, { listen: [`http://127.0.0.1:${port}`] }),
    isError("agent/conflict", /cannot listen on http.*: something else listens there; end it/),
  );
  await assert.rejects(
    agent.createKeep({ connections: ["not an authority"] }),
    isError("gate/protocol", /host:port/),
  );
  assert.equal((await agent.listKeeps()).length, 1);
  assert.equal(readdirSync(join(state, "keeps")).length, 1);
});

test("listeners are bound to free ports, and their numbers told", async (t) => {
  const { address } = await startAgent(t);
  const agent = connectAgent(address);
  const listeners = [{ name: "http", address: "127.0.0.1", port: 0 }];
  const { listeners: bound } = await agent.createKeep({ listeners });
  assert.equal(bound.length, 1);
  assert.equal(bound[0]!.name, "http");
  assert.ok(bound[0]!.port > 0);
});

test("a backend that this machine lacks is refused with what was tried", async (t) => {
  const { address } = await startAgent(t);
  const agent = connectAgent(address);
  await assert.rejects(
    agent.createKeep({ backend: "snp" }),
    isError("backend/unavailable", /no SEV-SNP here/),
  );
});

test("a pool hands out Keeps that run already, and fills up again", async (t) => {
  const { address, lines } = await startAgent(t, { pool: 2 });
  const agent = connectAgent(address);
  const ids = new Set<string>();
  for (let i = 0; i < 3; i++) {
    const keep = await agent.createKeep({ name: `pooled-${i}` });
    assert.equal(keep.name, `pooled-${i}`);
    ids.add(keep.id);
  }
  assert.equal(ids.size, 3, lines.join(""));
  assert.equal((await agent.listKeeps()).length, 3);
});

test("a life that is too long ends, and its record says so", async (t) => {
  const { address, lines } = await startAgent(t);
  const agent = connectAgent(address);
  const keep = await agent.createKeep({ limits: { lifetimeMs: 200 } });
  await untilLogged(lines, "Keep ended");
  const { state, end } = await agent.getKeep(keep.id);
  assert.equal(state, "ended");
  assert.equal(end?.reason, "lifetime");
});

test("a Keep with more memory than it may have ends, and its record says so", async (t) => {
  const { address, lines } = await startAgent(t);
  const agent = connectAgent(address);
  // The engine alone has more than this once it runs.
  const keep = await agent.createKeep({ limits: { memoryBytes: 64 << 20 } });
  await untilLogged(lines, "Keep ended");
  const { end } = await agent.getKeep(keep.id);
  assert.equal(end?.reason, "memory");
  assert.match(end?.detail ?? "", /bytes in memory, and its limit is 67108864/);
});

test("the agent's socket and its files are its user's alone", async (t) => {
  const { address, state } = await startAgent(t);
  await connectAgent(address).createKeep({});

  assert.equal(statSync(join(state, "agent.sock")).mode & 0o777, 0o600);
  const [id] = readdirSync(join(state, "keeps"));
  const folder = join(state, "keeps", id!);
  assert.equal(statSync(folder).mode & 0o077, 0);
  assert.equal(statSync(join(folder, "warden.sock")).mode & 0o777, 0o600);
  assert.ok(existsSync(join(folder, "order.json")));
});

test("an agent's state is its user's alone in a directory that others may read, too", async (t) => {
  const state = await makeState(t);
  chmodSync(state, 0o755);
  await startAgent(t, { state });
  for (const name of readdirSync(state)) {
    const stat = statSync(join(state, name));
    assert.equal(stat.mode & 0o077, 0, name);
  }
});

/** Resolves when a line of the log names `event`. */
async function untilLogged(lines: readonly string[], event: string): Promise<void> {
  const { until } = await import("../../../../tests/support/processes.ts");
  await until(`the log says '${event}'`, () => lines.some((line) => line.includes(`"${event}"`)));
}
