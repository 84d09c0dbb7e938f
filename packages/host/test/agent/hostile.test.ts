import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { connectAgent } from "@donjon/client/agent/connect";
import { MAX_REQUEST_BYTES } from "@donjon/protocol/agent/limits";
import fc from "fast-check";
import { startAgent, type TestAgent } from "./support.ts";

/**
 * Bytes as a hostile caller sends them, and all that comes back until the connection ends. `ends`: the caller says that it
 * sends no more, upon which the engine's server hangs up, answered or not.
 */
function send({ address }: TestAgent, bytes: string | Uint8Array, ends = false): Promise<string> {
  return new Promise((resolve) => {
    const socket = open(address);
    let seen = "";
    socket.setEncoding("latin1").on("data", (text: string) => {
      seen += text;
    });
    socket.on("close", () => resolve(seen));
    socket.on("end", () => socket.end());
    if (ends) socket.end(bytes);
    else socket.write(bytes);
  });
}

function open(address: string): Socket {
  return connect({ path: address.slice("unix:".length), allowHalfOpen: true }).on(
    "error",
    () => {},
  );
}

const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1]);

const head = (line: string, ...headers: string[]): string =>
  `${[line, "Host: agent", "Connection: close", ...headers].join("\r\n")}\r\n\r\n`;

test("a path that tries to leave its place finds nothing", async (t) => {
  const agent = await startAgent(t);
  for (const path of [
    "/v1/keeps/../../etc/passwd",
    "/v1/keeps/%2e%2e%2f%2e%2e%2fagent.db",
    "/v1/keeps/..%2fagent.db/console",
    "/v1/keeps/%00",
    "/v1/keeps/%ff",
    "/v1/keeps//console",
    "/v1/keeps/ffffffffffffffff/console",
    "//v1/keeps",
    "/v1/keeps/x'%20OR%201=1",
    `/v1/keeps/${"a".repeat(4000)}`,
  ]) {
    const status = statusOf(await send(agent, head(`GET ${path} HTTP/1.1`)));
    assert.ok([400, 404].includes(status), `${path} answered ${status}`);
  }
});

test("a body beyond the limit is refused, told or not how long it is", async (t) => {
  const agent = await startAgent(t);
  const body = `{"name":"${"x".repeat(MAX_REQUEST_BYTES)}"}`;
  const known = head("POST /v1/keeps HTTP/1.1", `Content-Length: ${body.length}`) + body;
  assert.equal(statusOf(await send(agent, known)), 413);
  const size = body.length.toString(16);
  const chunked = `${head("POST /v1/keeps HTTP/1.1", "Transfer-Encoding: chunked")}${size}\r\n${body}\r\n0\r\n\r\n`;
  assert.equal(statusOf(await send(agent, chunked)), 413);
  assert.equal(statusOf(await send(agent, head(`GET /${"x".repeat(20_000)} HTTP/1.1`))), 431);
});

test("a body is read in whatever pieces it comes, and one that is cut off is no defect", async (t) => {
  const agent = await startAgent(t);
  const post = head("POST /v1/keeps HTTP/1.1", "Transfer-Encoding: chunked");
  const made = await send(agent, `${post}5\r\n{"nam\r\n9\r\ne":"web"}\r\n0\r\n\r\n`);
  assert.equal(statusOf(made), 201, made);
  const wrong = await send(agent, `${post}4\r\n{"a"\r\n0\r\n\r\n`);
  assert.equal(statusOf(wrong), 400, wrong);
  await send(agent, `${post}5\r\n{"nam\r\n`, true);
  assert.deepEqual(
    (await connectAgent(agent.address).listKeeps()).map(({ name }) => name),
    ["web"],
  );
  assert.ok(!agent.lines.join("").includes("request failed"), agent.lines.join(""));
});

test("requests that are none, or are two in one, are refused", async (t) => {
  const agent = await startAgent(t);
  for (const bytes of [
    "hello\r\n\r\n",
    "GET /healthz HTTP/9.9\r\n\r\n",
    head("POST /v1/keeps HTTP/1.1", "Content-Length: 2", "Transfer-Encoding: chunked"),
    head("POST /v1/keeps HTTP/1.1", "Content-Length: 2", "Content-Length: 3"),
    head("GET /healthz HTTP/1.1", "X: a\u0000b"),
  ])
    assert.equal(statusOf(await send(agent, bytes)), 400, JSON.stringify(bytes));
});

test("an upgrade to anything but a session of one's own Keep is refused with a reason", async (t) => {
  const agent = await startAgent(t);
  /** The first that comes back; the connection may be kept for more. */
  const upgrade = (path: string, to = "donjon-session", method = "GET"): Promise<string> =>
    new Promise((resolve) => {
      const socket = open(agent.address);
      socket.write(
        `${method} ${path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: ${to}\r\n\r\n`,
      );
      socket.setEncoding("latin1").once("data", (text: string) => {
        socket.destroy();
        resolve(text);
      });
    });
  const missing = await upgrade("/v1/keeps/nobody/session");
  assert.equal(statusOf(missing), 404);
  assert.match(missing, /application\/problem\+json[\s\S]*"code":"agent\/not-found"/);
  assert.equal(statusOf(await upgrade("/v1/keeps/nobody/session", "websocket")), 426);
  assert.equal(statusOf(await upgrade("/v1/keeps/nobody/session?bare=2")), 426);
  assert.equal(statusOf(await upgrade("/v1/keeps/nobody/session", "donjon-session", "POST")), 405);
  assert.equal(statusOf(await upgrade("/v1/keeps")), 200, "an upgrade nobody knows is ignored");
});

test("a request that never ends is cut, and hinders nobody", async (t) => {
  const agent = await startAgent(t, { times: { headersMs: 200, requestMs: 400 } });
  const half = open(agent.address);
  half.write("GET /v1/keeps HTTP/1.1\r\nHost: ");
  const slow = open(agent.address);
  slow.write(
    "POST /v1/keeps HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
  );
  const ends = [half, slow].map((socket) => {
    socket.resume();
    return new Promise((resolve) => socket.on("end", resolve).on("close", resolve));
  });
  assert.deepEqual(await connectAgent(agent.address).listKeeps(), []);
  await Promise.all(ends);
});

test("whatever a caller sends, the agent answers or hangs up, and has no defect", async (t) => {
  const agent = await startAgent(t);
  const body = fc.oneof(fc.json(), fc.string(), fc.constant('{"limits":{"memoryBytes":1e400}}'));
  await fc.assert(
    fc.asyncProperty(body, async (text) => {
      const length = Buffer.byteLength(text);
      const headers = ["Content-Type: application/json", `Content-Length: ${length}`];
      const answer = await send(agent, `${head("POST /v1/keeps HTTP/1.1", ...headers)}${text}`);
      // `{}` is a request for a Keep, and nothing that this makes is more than that.
      assert.ok([201, 400].includes(statusOf(answer)), answer);
    }),
    { numRuns: 60 },
  );
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      const answer = await send(agent, bytes, true);
      assert.ok(answer === "" || statusOf(answer) < 500, answer);
    }),
    { numRuns: 60 },
  );
  assert.ok(!agent.lines.join("").includes("request failed"), agent.lines.join(""));
});

test("a caller that goes away in the middle of a session leaves nothing open", async (t) => {
  const agent = await startAgent(t);
  const client = connectAgent(agent.address);
  const { id } = await client.createKeep({});
  for (let i = 0; i < 5; i++) {
    const socket = open(agent.address);
    socket.write(
      `GET /v1/keeps/${id}/session?bare=1 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: donjon-session\r\n\r\n`,
    );
    if (i % 2 === 0) await new Promise((resolve) => socket.once("data", resolve));
    socket.destroy();
  }
  const { until } = await import("../../../../tests/support/processes.ts");
  await until("no session is open", async () => {
    const answer = await send(agent, head("GET /metrics HTTP/1.1"));
    return /^donjon_sessions 0\r?$/m.test(answer);
  });
  assert.equal((await client.getKeep(id)).health, "new");
});
