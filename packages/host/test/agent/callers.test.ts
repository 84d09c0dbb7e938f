import assert from "node:assert/strict";
import { test } from "node:test";
import { connectAgent } from "@donjon/client/agent/connect";
import { createClientIdentity } from "@donjon/client/attested/identity";
import { openSession } from "@donjon/client/session";
import { DonjonError } from "@donjon/core/errors";
import { type CallerLimits, NO_CALLER_LIMITS } from "../../src/agent/caller.ts";
import { CallerStore } from "../../src/agent/state/caller-store.ts";
import { openDatabase } from "../../src/agent/state/database.ts";
import { startAgent } from "./support.ts";

const code = (wanted: string) => (error: unknown) => {
  assert.ok(error instanceof DonjonError, String(error));
  assert.equal(error.code, wanted, error.message);
  return true;
};

/** As `donjon agent token add` does, beside the running agent. */
function addToken(state: string, name: string, limits: Partial<CallerLimits> = {}): string {
  const database = openDatabase(state);
  const token = new CallerStore(database).add(name, "user", { ...NO_CALLER_LIMITS, ...limits });
  database.close();
  return token;
}

function removeToken(state: string, name: string): void {
  const database = openDatabase(state);
  new CallerStore(database).remove(name);
  database.close();
}

const LOOPBACK = { listen: ["http://127.0.0.1:0"] };

test("over TCP only a token of this agent's opens anything, and only while it is one", async (t) => {
  const { agent, state, lines } = await startAgent(t, LOOPBACK);
  const address = agent.addresses[1]!;
  const token = addToken(state, "alice");
  assert.match(token, /^donjon_[0-9a-f]{16}_[A-Za-z0-9_-]{43}$/);
  const last = token.at(-1) === "A" ? "B" : "A";
  for (const wrong of [undefined, "x", `${token.slice(0, -1)}${last}`, `${token}x`, "donjon__"]) {
    const stranger = connectAgent(address, wrong === undefined ? {} : { token: wrong });
    await assert.rejects(stranger.listKeeps(), code("agent/unauthorized"));
    await assert.rejects(stranger.openSession("web"), code("agent/unauthorized"));
    await assert.rejects(stranger.getSimulatedTrust(), code("agent/unauthorized"));
  }
  const alice = connectAgent(address, { token });
  assert.deepEqual(await alice.listKeeps(), []);
  removeToken(state, "alice");
  await assert.rejects(alice.listKeeps(), code("agent/unauthorized"));
  const secret = token.split("_")[2]!;
  assert.ok(!lines.join("").includes(secret), "a token is in the log");
});

test("callers see and touch their own Keeps only; an operator sees all", async (t) => {
  const { agent, state, address } = await startAgent(t, LOOPBACK);
  const alice = connectAgent(agent.addresses[1]!, { token: addToken(state, "alice") });
  const bob = connectAgent(agent.addresses[1]!, { token: addToken(state, "bob") });
  const operator = connectAgent(address);
  const keep = await alice.createKeep({ name: "web" });
  assert.equal(keep.owner, "alice");
  assert.deepEqual(await bob.listKeeps(), []);
  for (const wanted of [keep.id, "web", keep.id.slice(0, 6)]) {
    await assert.rejects(bob.getKeep(wanted), code("agent/not-found"));
    await assert.rejects(bob.stopKeep(wanted), code("agent/not-found"));
    await assert.rejects(bob.removeKeep(wanted), code("agent/not-found"));
    await assert.rejects(bob.readConsole(wanted), code("agent/not-found"));
    await assert.rejects(bob.openSession(wanted, { bare: true }), code("agent/not-found"));
  }
  const other = await bob.createKeep({ name: "web" });
  assert.deepEqual(
    (await operator.listKeeps()).map(({ owner }) => owner),
    ["alice", "bob"],
  );
  await assert.rejects(operator.getKeep("web"), code("agent/conflict"));
  assert.equal((await operator.getKeep(other.id)).owner, "bob");
  assert.equal((await alice.getKeep("web")).state, "running");
});

test("a caller's limits hold for Keeps, memory, bandwidth, lifetime and sessions", async (t) => {
  const { agent, state } = await startAgent(t, LOOPBACK);
  const token = addToken(state, "carol", {
    maxKeeps: 2,
    maxMemoryBytes: 1 << 30,
    maxLifetimeMs: 3_600_000,
    maxBandwidthBytesPerS: 1 << 20,
    maxSessions: 1,
  });
  const carol = connectAgent(agent.addresses[1]!, { token });
  const first = await carol.createKeep({});
  assert.deepEqual(first.limits, {
    lifetimeMs: 3_600_000,
    memoryBytes: 1 << 29,
    bandwidthBytesPerS: 1 << 19,
  });
  const forbidden = [{ lifetimeMs: 3_600_001 }, { memoryBytes: (1 << 30) + 1 }];
  for (const limits of forbidden)
    await assert.rejects(carol.createKeep({ limits }), code("agent/forbidden"));
  const tooMuch = [{ memoryBytes: (1 << 29) + 1 }, { bandwidthBytesPerS: (1 << 19) + 1 }];
  for (const limits of tooMuch)
    await assert.rejects(carol.createKeep({ limits }), code("agent/limit"));
  const two = await Promise.allSettled([carol.createKeep({}), carol.createKeep({})]);
  assert.deepEqual(two.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);

  const session = await carol.openSession(first.id, { bare: true });
  await assert.rejects(carol.openSession(first.id, { bare: true }), code("agent/limit"));
  session.destroy();
  const { until } = await import("../../../../tests/support/processes.ts");
  const again = await until("the session has been given back", () =>
    carol.openSession(first.id, { bare: true }).catch(() => null),
  );
  again.destroy();
});

test("over TLS a client certificate of the operator's authority is as good as a token", async (t) => {
  const server = createClientIdentity(Date.now());
  const client = createClientIdentity(Date.now());
  const stranger = createClientIdentity(Date.now());
  const { agent, state } = await startAgent(t, {
    listen: ["https://localhost:0"],
    tls: {
      certificate: server.certificatePem,
      key: server.keyPem,
      clientCa: client.certificatePem,
    },
    certificateLimits: { ...NO_CALLER_LIMITS, maxKeeps: 1 },
  });
  const address = agent.addresses[1]!;
  const ca = server.certificatePem;
  const certified = ({ certificatePem, keyPem }: typeof client) =>
    connectAgent(address, { tls: { ca, certificate: certificatePem, key: keyPem } });
  const keep = await certified(client).createKeep({});
  assert.equal(keep.owner, "certificate:CN=Donjon client");
  const session = openSession(await certified(client).openSession(keep.id, { bare: true }));
  assert.match((await session.hello).engine, /./);
  session.close();
  await assert.rejects(certified(stranger).openSession(keep.id), code("agent/unauthorized"));
  await assert.rejects(certified(client).createKeep({}), code("agent/limit"));
  await assert.rejects(certified(stranger).listKeeps(), code("agent/unauthorized"));
  await assert.rejects(
    connectAgent(address, { tls: { ca } }).listKeeps(),
    code("agent/unauthorized"),
  );
  const token = addToken(state, "dave");
  assert.deepEqual(await connectAgent(address, { token, tls: { ca } }).listKeeps(), []);
  // Who does not know the agent's certificate sends it no token.
  await assert.rejects(connectAgent(address, { token }).listKeeps(), code("agent/unreachable"));
});

test("tokens in the clear beyond this machine, and TLS without a certificate, are refused at the start", async (t) => {
  for (const listen of ["http://0.0.0.0:0", "http://192.0.2.1:4510", "https://127.0.0.1:0"])
    await assert.rejects(startAgent(t, { listen: [listen] }), code("usage"));
});
