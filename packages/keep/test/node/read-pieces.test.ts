/** Pieces that are given back when they were used: what was sent arrives, and nobody else's memory is touched. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { type Duplex, duplexPair } from "node:stream";
import { type TestContext, test } from "node:test";
import { connect } from "node:tls";
import { createFrameSender } from "@donjon/protocol/session/wire";
import { createSocketPair } from "../../../../tests/support/socket-pair.ts";
import { createTlsAcceptor, createTlsContext } from "../../src/gate/tls.ts";
import { createIdentity } from "../../src/identity/identity.ts";
import { readPieces } from "../../src/node/read-pieces.ts";

type Pair = readonly [Duplex, Duplex];

async function openSockets(context: TestContext): Promise<Pair> {
  const pair = await createSocketPair({ allowHalfOpen: true });
  context.after(() => {
    for (const socket of pair) socket.destroy();
  });
  return pair;
}

/** TLS over `pair`; the first is the client. */
async function secure([near, far]: Pair): Promise<Pair> {
  const { certificatePem, keyPem } = createIdentity(Date.now());
  const context = createTlsContext({ cert: certificatePem, key: keyPem, ca: certificatePem });
  const accepted = Promise.withResolvers<Duplex>();
  createTlsAcceptor()(far, context, accepted.resolve);
  const client = connect({ socket: near, rejectUnauthorized: false, ca: certificatePem });
  await once(client, "secureConnect");
  return [client, await accepted.promise];
}

const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const isGivenBack = (buffer: ArrayBufferLike) => (buffer as ArrayBuffer).detached;

/** Reads to the end, with a pause after every 20th piece, so that pieces wait in the stream too. */
async function read(stream: Duplex) {
  const hash = createHash("sha256");
  const buffers = new Set<ArrayBufferLike>();
  let pieces = 0;
  readPieces(stream, (piece) => {
    hash.update(piece);
    buffers.add(piece.buffer);
    pieces += 1;
    if (pieces % 20 > 0) return;
    stream.pause();
    setImmediate(() => setImmediate(() => stream.resume()));
  });
  await once(stream, "end");
  return { digest: hash.digest("hex"), buffers: [...buffers] };
}

for (const [name, open] of [
  ["a socket", openSockets],
  ["TLS on a socket", async (context) => secure(await openSockets(context))],
  ["TLS on another stream", () => secure(duplexPair())],
] as const satisfies readonly (readonly [string, (context: TestContext) => Promise<Pair>])[]) {
  test(`what comes from ${name} is as it was sent, and its memory is given back when the next has come`, {
    timeout: 30_000,
  }, async (context) => {
    const [near, far] = await open(context);
    const sent = Buffer.from(Float64Array.from({ length: 1 << 20 }, (_, at) => at ** 0.5).buffer);
    const kept = digest(sent);
    const reading = read(far);
    near.resume();
    // Many small ones, which share a buffer, and large ones.
    for (let at = 0, size = 1; at < sent.length; at += size, size = (size * 3) % 200_003) {
      near.write(sent.subarray(at, at + size));
    }
    near.end();
    const got = await reading;
    assert.equal(got.digest, kept);
    assert.equal(digest(sent), kept, "the sender's memory is the sender's");
    assert.ok(got.buffers.length > 10, `${got.buffers.length} buffers`);
    // The last; and the first, where it had been begun for the TLS of another test.
    const held = got.buffers.filter((buffer) => !isGivenBack(buffer));
    assert.ok(held.length <= 2, `${held.length} of ${got.buffers.length} buffers are held`);
  });
}

for (const [name, order] of [
  ["before", ["other", "mine"]],
  ["after", ["mine", "other"]],
] as const) {
  test(`what waits in TLS that was opened ${name} it stays as it was sent while a stream gives memory back`, {
    timeout: 30_000,
  }, async (context) => {
    const open = new Map<string, Pair>();
    for (const which of order) open.set(which, await secure(await openSockets(context)));
    const [near, far] = open.get("mine")!;
    const [otherNear, otherFar] = open.get("other")!;
    let got = 0;
    const wake: (() => void)[] = [];
    readPieces(far, (piece) => {
      got += piece.length;
      for (const look of wake) look();
    });
    const arrived = (total: number) =>
      new Promise<void>((resolve) => {
        const look = () => got >= total && resolve();
        wake.push(look);
        look();
      });
    // Sizes that leave the other's pieces at the start, in the middle and at the end of the buffers that both share.
    let sent = 0;
    const waiting: Buffer[] = [];
    for (const size of [100, 30_000, 65_500, 200_000, 65_536]) {
      near.write(Buffer.alloc(size));
      sent += size;
      await arrived(sent);
      waiting.push(Buffer.alloc(30, waiting.length + 1));
      const before = otherFar.readableLength;
      otherNear.write(waiting.at(-1)!);
      while (otherFar.readableLength === before) await new Promise(setImmediate);
    }
    near.write(Buffer.alloc(1 << 20));
    await arrived(sent + (1 << 20));
    otherNear.end();
    const pieces: Buffer[] = await otherFar.toArray();
    assert.ok(Buffer.concat(pieces).equals(Buffer.concat(waiting)));
  });
}

test("memory that a stream in this process passes on is left to who wrote it", async () => {
  const [near, far] = duplexPair();
  const sent = [Buffer.alloc(70_000, 1), Buffer.alloc(70_000, 2)];
  const reading = read(far);
  for (const piece of sent) near.write(piece);
  near.end();
  assert.equal((await reading).digest, digest(Buffer.concat(sent)));
  assert.deepEqual(
    sent.map(({ buffer }) => isGivenBack(buffer)),
    [false, false],
  );
});

test("what a session sends at once is 64 KiB when TLS has sealed it, which the engine reads at once", async () => {
  const [near, far] = duplexPair();
  const [client, server] = await secure([near, far]);
  // What comes after the handshake, such as tickets, has come before what is answered to it.
  client.write("ready?");
  await once(server, "data");
  let sealed = 0;
  far.on("data", (chunk: Uint8Array) => {
    sealed += chunk.length;
  });
  const send = createFrameSender(client);
  const sizes: number[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const piece = 65_448;
  for (const last of [false, true]) {
    send(new Uint8Array(8), new Uint8Array(piece - 8), () => {
      sizes.push(sealed);
      if (last) resolve();
    });
  }
  server.resume();
  await promise;
  assert.deepEqual(sizes, [65_536, 131_072]);
});
