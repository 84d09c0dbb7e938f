/** What callers' Keeps may connect to and listen on, with real agents, wardens and Keeps. */
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import type { AgentClient } from "@donjon/client/agent/client";
import { connectAgent } from "@donjon/client/agent/connect";
import { createClientIdentity } from "@donjon/client/attested/identity";
import { openSession } from "@donjon/client/session";
import { encodeConnectGuest } from "@donjon/testkit/contract/guests";
import { createProvision, readAll } from "@donjon/testkit/contract/keep-fixture";
import { until } from "../../../../tests/support/processes.ts";
import { NO_CALLER_LIMITS } from "../../src/agent/caller.ts";
import { CallerStore } from "../../src/agent/state/caller-store.ts";
import { openDatabase } from "../../src/agent/state/database.ts";
import { KeepStore } from "../../src/agent/state/keep-store.ts";
import { DEFAULT_NETWORK_RULES, parseGivenRules } from "../../src/network/rules.ts";
import { makeState, startAgent, type TestAgent } from "./support.ts";

const TCP = { listen: ["http://127.0.0.1:0"] };

interface Rules {
  readonly connect?: readonly string[];
  readonly listen?: readonly string[];
}

/** As `donjon agent token add` does, beside the running agent. */
function addToken(state: string, name: string, { connect, listen }: Rules = {}): string {
  const database = openDatabase(state);
  const rules = parseGivenRules({ connect, listen });
  const token = new CallerStore(database).add(name, "user", NO_CALLER_LIMITS, rules);
  database.close();
  return token;
}

const clientOf = ({ agent }: TestAgent, token: string): AgentClient =>
  connectAgent(agent.addresses[1]!, { token });

/** Answers with what it is told; the port of a service of the host's own. */
async function startService(t: TestContext): Promise<number> {
  const server = createServer((socket) => {
    socket.on("error", () => {}).once("data", (bytes) => socket.end(`you said ${bytes}`));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return (server.address() as { port: number }).port;
}

/** What the service said to a workload in the Keep; rejects with what the Keep says. */
async function callFrom(
  client: AgentClient,
  keep: string,
  host: string,
  port: number,
): Promise<string> {
  const more = `[[connections]]\nname = "peer"\nprotocol = "tcp"\nhost = "${host}"\nport = ${port}\n`;
  const session = openSession(await client.openSession(keep, { bare: true }));
  const run = session.provision(createProvision(encodeConnectGuest(3, "hello"), more));
  run.stderr.resume();
  const [said] = await Promise.all([readAll(run.stdout), run.result]);
  return said.toString();
}

const loopback = (port: number) => [{ name: "http", address: "127.0.0.1", port }];
const isForbidden = (message: RegExp) => ({ code: "agent/forbidden", message });

test("a token's Keep cannot connect to the host's loopback without a rule, and can with one", async (t) => {
  const agent = await startAgent(t, TCP);
  const port = await startService(t);
  const plain = clientOf(agent, addToken(agent.state, "plain"));
  const connections = [`127.0.0.1:${port}`];
  for (const target of [
    `127.0.0.1:${port}`,
    `[::ffff:127.0.0.1]:${port}`,
    "169.254.169.254:80",
    "10.0.0.1:5432",
  ])
    await assert.rejects(
      plain.createKeep({ connections: [target] }),
      isForbidden(/--allow-connect '/),
    );
  assert.deepEqual(await plain.listKeeps(), [], "nothing was made");
  assert.ok(agent.lines.some((line) => /"request refused".*may not connect to/.test(line)));

  const ruled = clientOf(agent, addToken(agent.state, "ruled", { connect: [`127.0.0.1:${port}`] }));
  const keep = await ruled.createKeep({ connections });
  assert.deepEqual(keep.network, { ...DEFAULT_NETWORK_RULES, connect: [`127.0.0.1:${port}`] });
  assert.equal(await callFrom(ruled, keep.id, "127.0.0.1", port), "you said hello");

  const owner = connectAgent(agent.address);
  const free = await owner.createKeep({ connections });
  assert.equal(free.network, null);
  assert.equal(await callFrom(owner, free.id, "127.0.0.1", port), "you said hello");
});

test("a name that leads to loopback is refused by the warden, before the workload runs, and the agent counts it", async (t) => {
  const agent = await startAgent(t, TCP);
  const port = await startService(t);
  const connections = [`localhost:${port}`];
  const plain = clientOf(agent, addToken(agent.state, "plain"));
  const keep = await plain.createKeep({ connections });
  await assert.rejects(callFrom(plain, keep.id, "localhost", port), {
    code: "gate/refused",
    message: new RegExp(
      `may not connect to localhost:${port}: no rule allows what the name leads to`,
    ),
  });
  const line = await until("the agent's log says it", () =>
    agent.lines.find((each) => each.includes('"connection refused"')),
  );
  const { keep: id, target, reason } = JSON.parse(line);
  assert.deepEqual([id, target, reason], [keep.id, `localhost:${port}`, "loopback"]);
  assert.match(
    await readMetrics(agent),
    /^donjon_refusals_total\{reason="connect\/loopback"\} 1$/m,
  );

  const named = clientOf(agent, addToken(agent.state, "named", { connect: [`localhost:${port}`] }));
  const open = await named.createKeep({ connections });
  assert.equal(await callFrom(named, open.id, "localhost", port), "you said hello");
});

async function readMetrics({ address }: TestAgent): Promise<string> {
  const { request } = await import("node:http");
  return new Promise((resolve, reject) => {
    const socketPath = address.slice("unix:".length);
    const sent = request({ socketPath, path: "/metrics", agent: false }, (answer) => {
      readAll(answer).then((bytes) => resolve(bytes.toString()), reject);
    });
    sent.on("error", reject).end();
  });
}

test("a token's Keep listens on loopback without a rule, and with rules where they say", async (t) => {
  const agent = await startAgent(t, TCP);
  const plain = clientOf(agent, addToken(agent.state, "plain"));
  const bound = await plain.createKeep({ listeners: loopback(0) });
  assert.ok(bound.listeners[0]!.port >= 1024);
  const everywhere = [{ name: "http", address: "0.0.0.0", port: 0 }];
  for (const [listeners, says] of [
    [
      everywhere,
      /may not listen on 0\.0\.0\.0:0: no rule allows it; .*--allow-listen '0\.0\.0\.0:\*'/,
    ],
    [loopback(80), /--allow-listen '127\.0\.0\.1:80'/],
    [[{ name: "http", address: "::", port: 8080 }], /--allow-listen '\[::\]:8080'/],
  ] as const)
    await assert.rejects(plain.createKeep({ listeners }), isForbidden(says));
  assert.equal((await plain.listKeeps()).length, 1);

  const none = clientOf(agent, addToken(agent.state, "none", { listen: ["none"] }));
  await assert.rejects(none.createKeep({ listeners: loopback(0) }), isForbidden(/--allow-listen/));
  // Only the warden asks the resolver.
  const byName = [{ name: "http", address: "localhost", port: 0 }];
  await assert.rejects(
    none.createKeep({ listeners: byName }),
    isForbidden(/what the name leads to/),
  );
  assert.deepEqual(await none.listKeeps(), []);
  const named = await plain.createKeep({ listeners: byName });
  assert.match(named.listeners[0]!.address, /^(?:127\.0\.0\.1|::1)$/);

  const ruled = clientOf(agent, addToken(agent.state, "ruled", { listen: ["127.0.0.2:*"] }));
  const other = [{ name: "http", address: "127.0.0.2", port: 0 }];
  const open = await ruled.createKeep({ listeners: other });
  assert.equal(open.listeners[0]!.address, "127.0.0.2");
  await assert.rejects(ruled.createKeep({ listeners: loopback(0) }), isForbidden(/--allow-listen/));
});

test("a pooled Keep has the rules of who gets it", async (t) => {
  const agent = await startAgent(t, { ...TCP, pool: 1 });
  const port = await startService(t);
  const pooled = await until("the pool is full", () => listPooled(agent.state)[0]);
  const plain = clientOf(agent, addToken(agent.state, "plain"));
  const keep = await plain.createKeep({ connections: [`localhost:${port}`] });
  assert.equal(keep.id, pooled);
  assert.deepEqual(keep.network, DEFAULT_NETWORK_RULES);
  await assert.rejects(callFrom(plain, keep.id, "localhost", port), { code: "gate/refused" });
});

function listPooled(state: string): string[] {
  const database = openDatabase(state);
  try {
    const keeps = new KeepStore(database).list();
    return keeps.filter((keep) => keep.state === "pooled").map(({ id }) => id);
  } finally {
    database.close();
  }
}

test("rules hold on after an agent's restart, for Keeps that run and for new ones", async (t) => {
  const first = await startAgent(t, TCP);
  const port = await startService(t);
  const connections = [`localhost:${port}`];
  const [plainToken, ruledToken] = [
    addToken(first.state, "plain"),
    addToken(first.state, "ruled", { connect: [`localhost:${port}`] }),
  ];
  const before = [
    await clientOf(first, plainToken).createKeep({ connections }),
    await clientOf(first, ruledToken).createKeep({ connections }),
  ] as const;
  await first.agent.close({ drainMs: 0 });

  const second = await startAgent(t, { ...TCP, state: first.state });
  const [plain, ruled] = [clientOf(second, plainToken), clientOf(second, ruledToken)];
  assert.deepEqual((await plain.getKeep(before[0].id)).network, DEFAULT_NETWORK_RULES);
  await assert.rejects(callFrom(plain, before[0].id, "localhost", port), { code: "gate/refused" });
  // The new agent hears of it as the old one would have.
  await until("the log says it", () =>
    second.lines.some((line) => line.includes('"connection refused"')),
  );
  assert.equal(await callFrom(ruled, before[1].id, "localhost", port), "you said hello");
  await assert.rejects(
    plain.createKeep({ connections: [`127.0.0.1:${port}`] }),
    isForbidden(/loopback/),
  );
  const again = await ruled.createKeep({ connections });
  assert.equal(await callFrom(ruled, again.id, "localhost", port), "you said hello");
});

test("callers with certificates have the agent's own rules", async (t) => {
  const server = createClientIdentity(Date.now());
  const client = createClientIdentity(Date.now());
  const tls = {
    certificate: server.certificatePem,
    key: server.keyPem,
    clientCa: client.certificatePem,
  };
  const listen = ["https://localhost:0"];
  const connect = async (certificateNetwork?: ReturnType<typeof parseGivenRules>) => {
    const { agent } = await startAgent(t, {
      listen,
      tls,
      ...(certificateNetwork && { certificateNetwork }),
    });
    return connectAgent(agent.addresses[1]!, {
      tls: { ca: tls.certificate, certificate: client.certificatePem, key: client.keyPem },
    });
  };
  const plain = await connect();
  await assert.rejects(plain.createKeep({ connections: ["127.0.0.1:9"] }), isForbidden(/loopback/));
  const ruled = await connect(parseGivenRules({ connect: ["127.0.0.1:9"], listen: undefined }));
  const keep = await ruled.createKeep({ connections: ["127.0.0.1:9"] });
  assert.deepEqual(keep.network?.connect, ["127.0.0.1:9"]);
  await assert.rejects(
    ruled.createKeep({ connections: ["127.0.0.1:10"] }),
    isForbidden(/loopback/),
  );
});

/** As the version before network rules made it. */
const VERSION_1 = `
  CREATE TABLE keeps (
    id TEXT PRIMARY KEY, state TEXT NOT NULL, owner TEXT, name TEXT, record TEXT NOT NULL, UNIQUE (owner, name)
  ) STRICT;
  CREATE TABLE callers (
    name TEXT PRIMARY KEY, token_id TEXT NOT NULL UNIQUE, token_hash BLOB NOT NULL, role TEXT NOT NULL,
    limits TEXT NOT NULL, created_at INTEGER NOT NULL
  ) STRICT;
  PRAGMA user_version = 1;
`;

test("a state from before network rules is taken over: its callers get the default, its Keeps what they had", async (t) => {
  const state = await makeState(t);
  const old = new DatabaseSync(join(state, "agent.db"));
  old.exec(VERSION_1);
  old
    .prepare("INSERT INTO callers VALUES ('alice', '0123456789abcdef', zeroblob(32), 'user', ?, 1)")
    .run(JSON.stringify(NO_CALLER_LIMITS));
  const record = JSON.stringify({ name: "web", backend: "process", connections: ["127.0.0.1:1"] });
  const insert = old.prepare("INSERT INTO keeps VALUES (?, ?, ?, ?, ?)");
  insert.run("1111111111111111", "running", "alice", "web", record);
  insert.run("2222222222222222", "pooled", null, null, record);
  old.close();
  for (const time of ["at first", "again"]) {
    const database = openDatabase(state);
    const [alice] = new CallerStore(database).list();
    assert.deepEqual(alice?.network, DEFAULT_NETWORK_RULES, time);
    const keeps = new KeepStore(database).list();
    assert.deepEqual(
      keeps.map((keep) => [keep.id, keep.state, keep.network, keep.connections]),
      [
        ["1111111111111111", "running", null, ["127.0.0.1:1"]],
        // Its warden knows no rules.
        ["2222222222222222", "removing", null, ["127.0.0.1:1"]],
      ],
      time,
    );
    database.close();
  }
  const newer = new DatabaseSync(join(state, "agent.db"));
  newer.exec("PRAGMA user_version = 3");
  newer.close();
  assert.throws(() => openDatabase(state), {
    code: "agent/state",
    message: /of version 3, .*up to version 2/,
  });
});
