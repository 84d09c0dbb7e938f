import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { donjonRun } from "../../support/keep.ts";
import {
  countDescriptors,
  residentBytes,
  until,
  untilAtRest,
  untilGone,
} from "../../support/processes.ts";
import { examplePath, guestPath, listAll, startCommand } from "./command.ts";

const MIB = 1 << 20;
const CONNECTIONS = 1000;
const SERVER = join(examplePath("http-server"), "http-server.wasm");

async function listen(
  t: TestContext,
  onSocket: (socket: Socket) => void = () => {},
): Promise<Server> {
  const server = createServer({ pauseOnConnect: true }, onSocket).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return server;
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

/** A port of the machine that was free a moment ago. */
async function findPort(t: TestContext): Promise<number> {
  const server = await listen(t);
  const port = portOf(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test("a port that is taken is told, with 125", async (t) => {
  const port = portOf(await listen(t));
  const { code, stdout, stderr } = await donjonRun([SERVER, "--listen", `http=${port}`]);
  assert.deepEqual([code, stdout], [125, ""]);
  assert.match(
    stderr,
    new RegExp(
      `^donjon: listener "http" cannot listen on 127\\.0\\.0\\.1 port ${port}: something else listens there; end it, or choose another port\n`,
    ),
  );
});

test("a peer that is down is told, with 125", async (t) => {
  const port = await findPort(t);
  const { code, stdout, stderr } = await donjonRun([
    guestPath("waits"),
    "--connect",
    `db=127.0.0.1:${port}`,
    "--",
    "receive",
  ]);
  assert.deepEqual([code, stdout], [125, ""]);
  assert.match(stderr, /^donjon: .*ECONNREFUSED/);
});

function request(socket: Socket, path: string, method = "GET"): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let answer = "";
  socket.setEncoding("latin1");
  socket.on("data", (piece: string) => {
    answer += piece;
  });
  socket.on("end", () => resolve(answer));
  socket.on("error", reject);
  socket.write(`${method} ${path} HTTP/1.1\r\nHost: keep\r\nConnection: close\r\n\r\n`);
  return promise;
}

test("1,000 connections at once are all answered alike, and no descriptor is left", async (t) => {
  const port = await findPort(t);
  const command = startCommand(t, [SERVER, "--listen", `http=${port}`]);
  await command.said("http-server: ready");
  const { keep, all } = await listAll(command);
  const host = all.find(({ pid }) => pid === command.child.pid)!;
  const before = countDescriptors(host);
  const sockets = Array.from({ length: CONNECTIONS }, () => connect(port, "127.0.0.1"));
  await Promise.all(sockets.map((socket) => once(socket, "connect")));
  const answers = await Promise.all(sockets.map((socket) => request(socket, "/")));
  assert.equal(new Set(answers).size, 1);
  assert.match(answers[0]!, /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nHello from inside a Keep\.\n$/);
  await until("the command has closed them all", () => countDescriptors(host) <= before);
  t.diagnostic(
    `Keep ${residentBytes(keep) >> 20} MiB, command ${residentBytes(host) >> 20} MiB afterwards`,
  );
  const last = connect(port, "127.0.0.1");
  await request(last, "/stop", "POST");
  assert.deepEqual(await command.ended, { code: 0, signal: null });
  assert.match(command.stderr(), new RegExp(`^http-server: ${CONNECTIONS + 1} requests$`, "m"));
  await untilGone(all);
});

test("a peer that reads slowly slows the guest, and neither Keep nor command grows", async (t) => {
  const accepted = Promise.withResolvers<Socket>();
  const server = await listen(t, accepted.resolve);
  const command = startCommand(t, [
    guestPath("waits"),
    "--connect",
    `out=127.0.0.1:${portOf(server)}`,
    "--",
    "send",
  ]);
  const peer = await accepted.promise;
  t.after(() => peer.destroy());
  peer.on("error", () => {});
  const { keep, all } = await listAll(command);
  const host = all.find(({ pid }) => pid === command.child.pid)!;
  const take = async (bytes: number) => {
    for (let left = bytes; left > 0; ) {
      const chunk = peer.read() as Buffer | null;
      if (chunk === null) await once(peer, "readable");
      else left -= chunk.length;
    }
  };
  await take(32 * MIB);
  await untilAtRest(keep);
  const before = residentBytes(keep) + residentBytes(host);
  for (let round = 0; round < 4; round++) {
    await take(16 * MIB);
    await untilAtRest(keep);
  }
  const after = residentBytes(keep) + residentBytes(host);
  t.diagnostic(`Keep and command: ${before >> 20} MiB, after 64 MiB more ${after >> 20} MiB`);
  assert.ok(after - before < 32 * MIB, `${before} grew to ${after}`);
  peer.destroy();
  // The peer is gone: the guest's next send fails, and what it exits with is its own.
  const { code } = await command.ended;
  assert.notEqual(code, 0);
  assert.match(command.stderr(), /came back/);
  await untilGone(all);
});
