import assert from "node:assert/strict";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTcpServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { MAX_ANSWER_BYTES, MAX_TRUST_CHARACTERS } from "@donjon/protocol/agent/limits";
import type { AgentClient } from "../../src/agent/client.ts";
import { connectAgent } from "../../src/agent/connect.ts";

const TIMEOUT_MS = 300;

async function listen(
  t: TestContext,
  server: Server | ReturnType<typeof createTcpServer>,
): Promise<AgentClient> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.close();
    if ("closeAllConnections" in server) server.closeAllConnections();
  });
  const { port } = server.address() as { port: number };
  return connectAgent(`http://127.0.0.1:${port}`, { token: "t", timeoutMs: TIMEOUT_MS });
}

const serve = (t: TestContext, answer: RequestListener): Promise<AgentClient> =>
  listen(t, createServer(answer));

/** An agent that sends these bytes to whoever connects, and then does what `after` says. */
function sendRaw(t: TestContext, bytes: string, after: (socket: Socket) => void = () => {}) {
  const sockets = new Set<Socket>();
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  return listen(
    t,
    createTcpServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.once("data", () => {
        socket.write(bytes);
        after(socket);
      });
    }),
  );
}

const KEEP = {
  id: "0123456789abcdef",
  name: "web",
  owner: "alice",
  backend: "process",
  protects: false,
  state: "running",
  createdAt: 1,
  labels: {},
  listeners: [],
  connections: [],
  network: null,
  limits: { lifetimeMs: null, memoryBytes: null, bandwidthBytesPerS: null },
  health: "new",
  sandbox: "",
  image: "",
  end: null,
};

test("an answer that is not exactly one is refused, whatever is wrong with it", async (t) => {
  const { id: _, ...without } = KEEP;
  for (const answer of [
    "",
    "{",
    "[]",
    "null",
    JSON.stringify(without),
    JSON.stringify({ ...KEEP, extra: 1 }),
    JSON.stringify({ ...KEEP, id: "../../etc" }),
    JSON.stringify({ ...KEEP, backend: "best" }),
    JSON.stringify({ ...KEEP, protects: "yes" }),
    JSON.stringify({ ...KEEP, owner: "x".repeat(2000) }),
    JSON.stringify({ ...KEEP, createdAt: -1 }),
    JSON.stringify({ ...KEEP, __proto__: null, ["__proto__x"]: {} }),
  ]) {
    const agent = await serve(t, (_request, response) => response.end(answer));
    await assert.rejects(agent.getKeep("web"), { code: "agent/protocol" }, answer);
  }
  const agent = await serve(t, (_request, response) => response.end(JSON.stringify(KEEP)));
  assert.equal((await agent.getKeep("web")).id, KEEP.id);
});

test("an answer without end, or with too much in it, costs a limited time and memory", async (t) => {
  const endless = await serve(t, (_request, response) => {
    const more = () => {
      while (!response.destroyed && response.write("x".repeat(1 << 16)));
      response.once("drain", more);
    };
    more();
  });
  await assert.rejects(endless.listKeeps(), {
    code: "agent/protocol",
    message: new RegExp(String(MAX_ANSWER_BYTES)),
  });
  const silent = await serve(t, () => {});
  await assert.rejects(silent.listKeeps(), { code: "agent/unreachable" });
  const dripping = await serve(t, (_request, response) => {
    const timer = setInterval(() => response.write(" "), 20);
    response.on("close", () => clearInterval(timer));
  });
  await assert.rejects(dripping.listKeeps(), { code: "agent/unreachable" });
  const trust = await serve(t, (_request, response) =>
    response.end("x".repeat(MAX_TRUST_CHARACTERS + 1)),
  );
  await assert.rejects(trust.getSimulatedTrust(), { code: "agent/protocol" });
});

test("a refusal without a reason is told as that, and one with a reason by its code", async (t) => {
  const problem = (status: number, body: string) =>
    serve(t, (_request, response) => {
      response.statusCode = status;
      response.end(body);
    });
  const bare = await problem(500, "<html>");
  await assert.rejects(bare.listKeeps(), { code: "agent/protocol", message: /status 500/ });
  const unknown = await problem(500, '{"code":"rm -rf","detail":"x"}');
  await assert.rejects(unknown.listKeeps(), { code: "agent/protocol" });
  const told = await problem(429, '{"code":"agent/limit","detail":"enough"}');
  await assert.rejects(told.listKeeps(), { code: "agent/limit", message: "enough" });
  // No redirect is followed: the token is for this agent.
  const moved = await serve(t, (_request, response) => {
    response.writeHead(307, { location: "http://127.0.0.1:1/v1/keeps" }).end();
  });
  await assert.rejects(moved.listKeeps(), { code: "agent/protocol", message: /status 307/ });
});

test("a session opens only when the agent switches to it", async (t) => {
  const ok = await serve(t, (_request, response) => response.end("{}"));
  await assert.rejects(ok.openSession("web"), { code: "agent/protocol" });
  const cut = await sendRaw(t, "HTTP/1.1 101 Switch", (socket) => socket.destroy());
  await assert.rejects(cut.openSession("web"), { code: "agent/unreachable" });
  const noise = await sendRaw(t, "nothing of the kind\r\n\r\n");
  await assert.rejects(noise.openSession("web"), { code: "agent/unreachable" });
  const silent = await sendRaw(t, "");
  await assert.rejects(silent.openSession("web"), { code: "agent/unreachable" });
});

test("an agent that switches where no session was asked for is refused, and hangs nobody", async (t) => {
  const switched = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n";
  const agent = await sendRaw(t, switched);
  await assert.rejects(agent.listKeeps(), { code: "agent/protocol" });
});

test("bytes that come with the switch are the stream's first", async (t) => {
  const agent = await sendRaw(
    t,
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: donjon-session\r\n\r\nearly",
    (socket) => socket.end(" and late"),
  );
  const stream = await agent.openSession("web");
  let seen = "";
  for await (const piece of stream) seen += piece;
  assert.equal(seen, "early and late");
});

test("where no agent is, the error says how to start one", async () => {
  for (const address of ["unix:/nowhere/agent.sock", "http://127.0.0.1:1"]) {
    await assert.rejects(connectAgent(address).listKeeps(), {
      code: "agent/unreachable",
      message: /no agent runs there; start one with 'donjon agent'/,
    });
  }
});

test("what listens there and is no agent at that address is told by what it does", async (t) => {
  const server = createTcpServer((socket) => {
    socket.on("error", () => {});
    socket.end("220 mail.example\r\n");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const { port } = server.address() as { port: number };
  await assert.rejects(connectAgent(`https://127.0.0.1:${port}`).listKeeps(), {
    code: "agent/unreachable",
    message: /cannot be reached: what listens there does not speak TLS$/,
  });
});

test("addresses and names that cannot be any are refused before anything is sent", async () => {
  for (const address of [
    "",
    "unix:",
    "ftp://x",
    "http://",
    "https://a:b@host",
    "http://h:99999",
    "http://h/x?y",
  ])
    assert.throws(() => connectAgent(address), { code: "usage" }, address);
  const agent = connectAgent("http://127.0.0.1:1");
  for (const keep of ["", "../x", "a/b", "a b", "x".repeat(65)])
    await assert.rejects(agent.getKeep(keep), { code: "agent/not-found" }, keep);
});
