import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { LookupAddress } from "node:dns";
import { connect, createServer, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { type TestContext, test } from "node:test";
import { openSession } from "@donjon/client/session";
import { encodeMuxFrame, encodeU32, MUX_KIND } from "@donjon/protocol/gate/mux-frame";
import { openGatePipe } from "@donjon/protocol/gate/pipe";
import { MAX_GATE_STREAMS, RESERVED_GATE_STREAMS } from "@donjon/protocol/limits";
import { until } from "../../../../tests/support/processes.ts";
import { MAX_PENDING_DIALS } from "../../src/gate/dial.ts";
import { openGate } from "../../src/gate/gate.ts";
import { createNetworkGuard } from "../../src/network/guard.ts";
import { ask, callHost, createFakeKeep } from "./fake-keep.ts";

test("the host refuses every connection until it is told which are allowed, and then all others", async () => {
  const server = createServer((socket) => socket.end());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const fake = createFakeKeep();
  const gate = openGate(fake.started, { onConsole: () => {} });
  const pipe = callHost(fake);
  assert.match(await ask(pipe, `127.0.0.1:${port}`), /not among the manifest's connections/);
  gate.allowConnections([`127.0.0.1:${port}`]);
  assert.equal(await ask(pipe, `127.0.0.1:${port}`), "accepted");
  for (const other of [`127.0.0.1:${port + 1}`, "169.254.169.254:80", `localhost:${port}`]) {
    assert.match(await ask(pipe, other), /not among the manifest's connections/);
  }
  assert.match(await ask(pipe, "nonsense"), /wanted "host:port"/);
  pipe.close();
  await gate.close();
  server.close();
});

/** Every socket that this process connects from now on. */
function watchSockets(t: TestContext): readonly Socket[] {
  const sockets: Socket[] = [];
  const note = (message: unknown) => sockets.push((message as { socket: Socket }).socket);
  subscribe("net.client.socket", note);
  t.after(() => unsubscribe("net.client.socket", note));
  return sockets;
}

test("a Keep that takes its call back while the host connects ends that connection and nothing else", async (t) => {
  const server = createServer((socket) => socket.resume());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const sockets = watchSockets(t);
  const fake = createFakeKeep();
  const gate = openGate(fake.started, { onConsole: () => {} });
  gate.allowConnections([`127.0.0.1:${port}`]);
  const pipe = callHost(fake);
  pipe
    .open(`127.0.0.1:${port}`)
    .on("error", () => {})
    .destroy();
  await until("the host has given it up", () => sockets[0]?.destroyed);
  assert.match(await ask(pipe, "127.0.0.1:1"), /not among/);
  assert.equal(await ask(pipe, `127.0.0.1:${port}`), "accepted");
  pipe.close();
  await gate.close();
  server.close();
});

test("a dial that is taken back ends at once, and one that takes back dials in a loop leaves no more than so many", async (t) => {
  const sockets = watchSockets(t);
  const lookups: PromiseWithResolvers<LookupAddress[]>[] = [];
  const resolve = () => {
    const lookup = Promise.withResolvers<LookupAddress[]>();
    lookups.push(lookup);
    return lookup.promise;
  };
  const rules = { connect: ["db.test:*"], listen: [] };
  const guard = createNetworkGuard(rules, { onRefused: () => {}, resolve });
  const fake = createFakeKeep();
  const gate = openGate(fake.started, { onConsole: () => {} });
  gate.allowConnections(["db.test:1", "db.test:2"], guard);
  const pipe = callHost(fake);
  const dial = () => pipe.open("db.test:1").on("error", () => {});
  const stream = dial();
  await until("it dials", () => sockets.length === 1);
  assert.equal(sockets[0]!.destroyed, false);
  stream.destroy();
  await until("the dial has ended", () => sockets[0]!.destroyed);

  for (let dials = 1; dials < MAX_PENDING_DIALS; dials++) {
    dial().destroy();
    await new Promise((done) => setImmediate(done));
  }
  await until("all have ended", () => sockets.every(({ destroyed }) => destroyed));
  assert.deepEqual([sockets.length, lookups.length], [MAX_PENDING_DIALS, MAX_PENDING_DIALS]);
  const full = `${MAX_PENDING_DIALS} connections are being made already`;
  assert.equal(await ask(pipe, "db.test:2"), full);
  assert.deepEqual([sockets.length, lookups.length], [MAX_PENDING_DIALS, MAX_PENDING_DIALS]);

  for (const lookup of lookups.splice(0)) lookup.reject(new Error("no such name"));
  await new Promise((done) => setImmediate(done));
  const asked = ask(pipe, "db.test:2");
  await until("it is looked up", () => lookups.length > 0);
  lookups[0]!.reject(new Error("no such name"));
  assert.match(await asked, /no such name/);
  pipe.close();
  await gate.close();
});

test("connections that fill a listener leave room for the owner's sessions", async () => {
  const fake = createFakeKeep();
  openGatePipe(fake.in, {
    role: "callee",
    Duplex,
    onCall: (call) => void call.accept().on("error", () => {}),
  });
  const gate = openGate(fake.started, { onConsole: () => {} });
  const { port } = await gate.listen({ name: "web", address: "127.0.0.1", port: 0 });
  const call = () => connect({ host: "127.0.0.1", port }).on("error", () => {});
  const first = call();
  await new Promise((resolve) => first.once("connect", resolve));
  for (let open = 0; open < MAX_GATE_STREAMS - RESERVED_GATE_STREAMS; open++) {
    gate.openSession().on("error", () => {});
  }
  await new Promise((resolve) => call().once("close", resolve));
  assert.equal(first.destroyed, false);
  gate.openSession().on("error", () => {});
  fake.in.destroy();
  await gate.close();
});

test("console lines of the Keep arrive without control characters, one per call", async () => {
  const fake = createFakeKeep();
  const lines: string[] = [];
  const gate = openGate(fake.started, { onConsole: (line) => lines.push(line) });
  const pipe = callHost(fake);
  const stream = pipe.open("console");
  stream.end(`\u001b]0;owned\u0007${"x".repeat(100_000)}`);
  stream.resume();
  await new Promise((resolve) => stream.once("end", resolve));
  assert.equal(lines.length, 1);
  assert.equal(lines[0], `\ufffd]0;owned\ufffd${"x".repeat(4096 - 10)}`);
  pipe.close();
  await gate.close();
});

test("a Keep that speaks another language ends its pipes and hangs nobody", async () => {
  const fake = createFakeKeep();
  const gate = openGate(fake.started, { onConsole: () => {} });
  const run = openSession(gate.openBareSession()).provision({
    manifest: Buffer.from(""),
    workload: Buffer.from(""),
    secrets: new Map(),
    trees: [],
  });
  fake.in.write(randomBytes(4096));
  fake.out.write(randomBytes(4096));
  fake.in.resume();
  fake.out.resume();
  await assert.rejects(run.result, { code: "gate/protocol" });
  await assert.rejects(gate.health());
  await gate.close();
});

test("a Keep of another gate protocol is refused, and every stream is told why", async () => {
  const fake = createFakeKeep();
  const gate = openGate(fake.started, { onConsole: () => {} });
  const session = openSession(gate.openBareSession());
  fake.in.write(encodeMuxFrame(MUX_KIND.preface, 0, encodeU32(2)));
  await assert.rejects(session.hello, { code: "gate/protocol", message: /protocol 2, wanted 1/ });
  await gate.close();
});

test("a listener that cannot be bound is an error that says where, why, and what to do", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const gate = openGate(createFakeKeep().started, { onConsole: () => {} });
  for (const [address, why] of [
    ["127.0.0.1", "something else listens there; end it, or choose another port"],
    // RFC 5737: no machine's own.
    ["192.0.2.1", "this machine has no such address; choose one that it has"],
  ] as const)
    await assert.rejects(gate.listen({ name: "web", address, port }), {
      code: "gate/refused",
      message: new RegExp(`"web" cannot listen on ${address} port ${port}: ${why}`),
    });
  await gate.close();
  server.close();
});
