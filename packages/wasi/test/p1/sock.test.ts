import assert from "node:assert/strict";
import test from "node:test";
import type { Connection } from "../../src/capability/stream.ts";
import { Errno, PENDING } from "../../src/errno.ts";
import { createInstance, putIovs } from "./support/instance.ts";
import { createPipe } from "./support/pipe.ts";

const IOVS = 0x100;
const RESULT = 0x400;
const ROFLAGS = 0x408;
const BUFFER = 0x1000;
const PEEK = 1;
const WAITALL = 2;
const NONBLOCK = 4;

function createSockets(descriptorLimit = 16) {
  const incoming = createPipe(64);
  const outgoing = createPipe(64);
  const connection: Connection = { input: incoming.input, output: outgoing.output };
  const queue: Connection[] = [];
  const instance = createInstance({
    descriptorLimit,
    descriptors: [
      { kind: "null" },
      { kind: "null" },
      { kind: "null" },
      { kind: "connection", connection },
      {
        kind: "listener",
        listener: {
          accept: () => queue.shift() ?? PENDING,
          ready: () => queue.length,
          close() {},
        },
      },
    ],
  });
  putIovs(instance, IOVS, [BUFFER, 4], [BUFFER + 16, 4]);
  // The preopen is 3.
  return { ...instance, incoming, outgoing, connection, queue, socket: 4, listener: 5 };
}

type Sockets = ReturnType<typeof createSockets>;

function receive(sockets: Sockets, flags: number): number | string {
  const errno = sockets.call("sock_recv", sockets.socket, IOVS, 2, flags, RESULT, ROFLAGS);
  if (errno !== Errno.success) return errno;
  const length = sockets.view().getUint32(RESULT, true);
  return (sockets.text(BUFFER, 4) + sockets.text(BUFFER + 16, 4)).slice(0, length);
}

test("sock_recv answers what there is", () => {
  const sockets = createSockets();
  sockets.incoming.fill("abcdef");
  assert.equal(receive(sockets, 0), "abcdef");
});

test("sock_recv with peek leaves the bytes", () => {
  const sockets = createSockets();
  sockets.incoming.fill("abcdef");
  assert.equal(receive(sockets, PEEK), "abcd");
  assert.equal(receive(sockets, 0), "abcdef");
});

test("sock_recv with waitall waits until its buffers are full", () => {
  const sockets = createSockets();
  sockets.waiter.onWait = () => sockets.incoming.fill("abc");
  assert.equal(receive(sockets, WAITALL), "abcabcab");
  assert.equal(sockets.waiter.waits.length, 3);
});

test("sock_recv with waitall answers less at the end", () => {
  const sockets = createSockets();
  sockets.incoming.fill("ab");
  sockets.waiter.onWait = () => sockets.incoming.end();
  assert.equal(receive(sockets, WAITALL), "ab");
  assert.equal(receive(sockets, WAITALL), "");
});

test("a connection that does not block answers again", () => {
  const sockets = createSockets();
  assert.equal(sockets.call("fd_fdstat_set_flags", sockets.socket, NONBLOCK), Errno.success);
  for (const flags of [0, PEEK, WAITALL]) assert.equal(receive(sockets, flags), Errno.again);
});

test("sock_send writes, and after a shutdown answers pipe", () => {
  const sockets = createSockets();
  sockets.put(BUFFER, "ping");
  assert.equal(sockets.call("sock_send", sockets.socket, IOVS, 1, 0, RESULT), Errno.success);
  assert.equal(sockets.outgoing.content(), "ping");
  assert.equal(sockets.call("sock_send", sockets.socket, IOVS, 1, 1, RESULT), Errno.inval);
  assert.equal(sockets.call("sock_shutdown", sockets.socket, 2), Errno.success);
  assert.equal(sockets.call("sock_send", sockets.socket, IOVS, 1, 0, RESULT), Errno.pipe);
  assert.equal(sockets.outgoing.input.ready(), 4);
});

test("a connection shut down for reading is at its end", () => {
  const sockets = createSockets();
  assert.equal(sockets.call("sock_shutdown", sockets.socket, 1), Errno.success);
  assert.equal(receive(sockets, 0), "");
});

test("sock_accept waits for a connection and gives it a descriptor", () => {
  const sockets = createSockets();
  sockets.waiter.onWait = () => sockets.queue.push(sockets.connection);
  assert.equal(sockets.call("sock_accept", sockets.listener, NONBLOCK, RESULT), Errno.success);
  const fd = sockets.view().getUint32(RESULT, true);
  assert.equal(fd, 6);
  assert.equal(sockets.call("fd_fdstat_get", fd, BUFFER), Errno.success);
  assert.equal(sockets.bytes()[BUFFER], 6);
  assert.equal(sockets.view().getUint16(BUFFER + 2, true), NONBLOCK);
});

test("sock_accept refuses what is no listener, a listener that does not block has nothing", () => {
  const sockets = createSockets();
  assert.equal(sockets.call("sock_accept", sockets.socket, 0, RESULT), Errno.inval);
  assert.equal(sockets.call("sock_accept", 1, 0, RESULT), Errno.notsock);
  assert.equal(sockets.call("sock_accept", 99, 0, RESULT), Errno.badf);
  assert.equal(sockets.call("sock_accept", sockets.listener, 1, RESULT), Errno.inval);
  assert.equal(sockets.call("fd_fdstat_set_flags", sockets.listener, NONBLOCK), Errno.success);
  assert.equal(sockets.call("sock_accept", sockets.listener, 0, RESULT), Errno.again);
});

test("no connection is taken from the queue when the table is full or the pointer is bad", () => {
  const sockets = createSockets(6);
  sockets.queue.push(sockets.connection);
  assert.equal(sockets.call("sock_accept", sockets.listener, 0, RESULT), Errno.mfile);
  assert.equal(sockets.call("sock_accept", sockets.listener, 0, 0xffff_ffff), Errno.fault);
  assert.equal(sockets.queue.length, 1);
});

test("sock functions refuse files, listeners and odd flags", () => {
  const sockets = createSockets();
  assert.equal(sockets.call("sock_shutdown", 3, 1), Errno.notsock);
  assert.equal(sockets.call("sock_shutdown", sockets.listener, 1), Errno.notconn);
  assert.equal(sockets.call("sock_shutdown", sockets.socket, 0), Errno.inval);
  assert.equal(sockets.call("sock_shutdown", sockets.socket, 4), Errno.inval);
  assert.equal(receive(sockets, 4), Errno.inval);
});

for (const name of ["fd_write", "sock_send", "fd_read", "sock_recv"] as const) {
  test(`a ${name} that waits does not go on with a connection that got its number meanwhile`, () => {
    const sockets = createSockets();
    const theirs = { incoming: createPipe(64), outgoing: createPipe(64) };
    const filler = Buffer.alloc(64 - 3);
    sockets.outgoing.output.write(filler, 0, filler.length);
    theirs.incoming.fill("not yours");
    // Another thread closes the connection and accepts the next one, which gets its number.
    sockets.waiter.onWait = () => {
      sockets.waiter.onWait = () => assert.fail("it waits for ever");
      assert.equal(sockets.call("fd_close", sockets.socket), Errno.success);
      sockets.queue.push({ input: theirs.incoming.input, output: theirs.outgoing.output });
      assert.equal(sockets.call("sock_accept", sockets.listener, 0, RESULT), Errno.success);
      assert.equal(sockets.view().getUint32(RESULT, true), sockets.socket);
    };
    const flags = name === "sock_recv" ? [0, RESULT, ROFLAGS] : [0, RESULT];
    const rest = name.startsWith("sock") ? flags : [RESULT];
    assert.equal(sockets.call(name, sockets.socket, IOVS, 2, ...rest), Errno.badf);
    assert.equal(theirs.outgoing.output.ready(), 64, "nothing was sent to the other");
    assert.equal(
      theirs.incoming.input.ready(),
      "not yours".length,
      "nothing of the other was read",
    );
  });
}
