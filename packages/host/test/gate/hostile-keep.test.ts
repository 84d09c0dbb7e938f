import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { type ClientHttp2Session, connect, performServerHandshake } from "node:http2";
import { createServer } from "node:net";
import { type Duplex, duplexPair } from "node:stream";
import { test } from "node:test";
import { openSession } from "@donjon/client/session";
import type { StartedKeep } from "../../src/backend/backend.ts";
import { openGate } from "../../src/gate/gate.ts";

interface FakeKeep {
  /** The Keep's ends of the pipes. */
  readonly in: Duplex;
  readonly out: Duplex;
  readonly started: StartedKeep;
}

function createFakeKeep(): FakeKeep {
  const [inside, hostIn] = duplexPair();
  const [outside, hostOut] = duplexPair();
  return {
    in: inside,
    out: outside,
    started: {
      in: hostIn,
      out: hostOut,
      ended: new Promise(() => {}),
      sandbox: "none",
      kill: () => {},
    },
  };
}

function callHost(fake: FakeKeep): ClientHttp2Session {
  const session = connect("http://host", { createConnection: () => fake.out });
  session.on("error", () => {});
  return session;
}

function ask(session: ClientHttp2Session, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve) => {
    const stream = session.request(headers, { endStream: true });
    stream.on("response", (answer) => resolve(Number(answer[":status"])));
    stream.on("error", () => resolve(0));
    stream.on("close", () => resolve(0));
    stream.resume();
  });
}

test("the host refuses every connection until it is told which are allowed, and then all others", async () => {
  const server = createServer((socket) => socket.end());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const fake = createFakeKeep();
  const gate = openGate(fake.started, { onConsole: () => {} });
  const session = callHost(fake);
  const dial = (authority: string, version = "1") =>
    ask(session, { ":method": "CONNECT", ":authority": authority, "donjon-gate": version });
  assert.equal(await dial(`127.0.0.1:${port}`), 403);
  gate.allowConnections([`127.0.0.1:${port}`]);
  assert.equal(await dial(`127.0.0.1:${port}`), 200);
  assert.equal(await dial(`127.0.0.1:${port + 1}`), 403);
  assert.equal(await dial("169.254.169.254:80"), 403);
  assert.equal(await dial(`localhost:${port}`), 403);
  assert.equal(await dial("nonsense"), 400);
  assert.equal(await dial(`127.0.0.1:${port}`, "2"), 505);
  assert.equal(await ask(session, { ":method": "GET", ":path": "/", "donjon-gate": "1" }), 404);
  session.destroy();
  await gate.close();
  server.close();
});

test("console lines of the Keep arrive without control characters, one per call", async () => {
  const fake = createFakeKeep();
  const lines: string[] = [];
  const gate = openGate(fake.started, { onConsole: (line) => lines.push(line) });
  const session = callHost(fake);
  const stream = session.request({ ":method": "POST", ":path": "/console", "donjon-gate": "1" });
  stream.end(`\u001b]0;owned\u0007${"x".repeat(100_000)}`);
  stream.resume();
  await new Promise((resolve) => stream.once("close", resolve));
  assert.equal(lines.length, 1);
  assert.equal(lines[0], `\ufffd]0;owned\ufffd${"x".repeat(4096 - 10)}`);
  session.destroy();
  await gate.close();
});

test("a Keep that speaks no HTTP/2 ends its pipes and hangs nobody", async () => {
  const fake = createFakeKeep();
  const gate = openGate(fake.started, { onConsole: () => {} });
  const run = openSession(gate.openSession()).provision({
    manifest: Buffer.from(""),
    workload: Buffer.from(""),
    secrets: new Map(),
    trees: [],
  });
  fake.in.write(randomBytes(4096));
  fake.out.write(randomBytes(4096));
  fake.in.resume();
  fake.out.resume();
  await assert.rejects(run.result, { code: "session/closed" });
  await assert.rejects(gate.health());
  await gate.close();
});

test("a Keep of another gate protocol is refused", async () => {
  const fake = createFakeKeep();
  const server = performServerHandshake(fake.in);
  server.on("error", () => {});
  server.on("stream", (stream) => {
    stream.on("error", () => {});
    stream.respond({ ":status": 200, "donjon-gate": "2" });
  });
  const gate = openGate(fake.started, { onConsole: () => {} });
  const session = openSession(gate.openSession());
  await assert.rejects(session.hello, {
    code: "gate/refused",
    message: /protocol 2.*wanted 200 \(protocol 1\)/,
  });
  server.destroy();
  await gate.close();
});

test("a listener that cannot be bound is an error that says where", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const gate = openGate(createFakeKeep().started, { onConsole: () => {} });
  await assert.rejects(gate.listen({ name: "web", address: "127.0.0.1", port }), {
    code: "gate/refused",
    message: new RegExp(`"web" cannot listen on 127.0.0.1 port ${port}`),
  });
  await gate.close();
  server.close();
});
