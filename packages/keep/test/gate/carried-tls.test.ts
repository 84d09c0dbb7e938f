/** The engine's TLS over streams of the gate, over real sockets: what is sealed ahead and given back is never what is still needed. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { Duplex } from "node:stream";
import { type TestContext, test } from "node:test";
import { openGatePipe } from "@donjon/protocol/gate/pipe";
import { createSocketPair } from "../../../../tests/support/socket-pair.ts";
import { connectTls, createTlsAcceptor, createTlsContext } from "../../src/gate/tls.ts";
import { createIdentity } from "../../src/identity/identity.ts";

/** Octets each way. */
const TOTAL = 64 << 20;
/** Changes from read to read, so that pieces of the gate, records of TLS and pauses fall differently. */
const PAUSE_AFTER = [1 << 20, 300_001, 65_536, 7, 2_000_003];

/** A stream of the gate in TLS, both ends, until the test is over. */
async function openSecured(context: TestContext): Promise<readonly [Duplex, Duplex]> {
  const identity = createIdentity(Date.now());
  const secure = createTlsContext({
    cert: identity.certificatePem,
    key: identity.keyPem,
    ca: identity.certificatePem,
  });
  const [near, far] = await createSocketPair();
  context.after(() => {
    near.destroy();
    far.destroy();
  });
  const accepted = Promise.withResolvers<Duplex>();
  openGatePipe<Duplex>(far, {
    role: "callee",
    Duplex,
    onCall: (call) => createTlsAcceptor()(call.accept(), secure, accepted.resolve),
  });
  const stream = openGatePipe<Duplex>(near, { role: "caller", Duplex }).open("listen:web");
  const connected = await connectTls(stream, "localhost", secure, Date.now);
  return [connected, await accepted.promise];
}

/** Writes `TOTAL` octets out of two buffers that change as soon as a write is done; gives their SHA-256. */
async function write(stream: Duplex, seed: number): Promise<string> {
  const hash = createHash("sha256");
  const words = [new Uint32Array(50_000), new Uint32Array(75_001)];
  let left = TOTAL;
  let x = seed;
  for (let turn = 0; left > 0; turn++) {
    const buffer = words[turn % 2]!;
    for (let at = 0; at < buffer.length; at += 16) {
      x = (Math.imul(x, 1_664_525) + 1_013_904_223) >>> 0;
      buffer[at] = x;
    }
    const bytes = new Uint8Array(buffer.buffer).subarray(0, left);
    hash.update(bytes);
    left -= bytes.length;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    stream.write(bytes, (error) => (error ? reject(error) : resolve()));
    await promise;
    // What was written is the writer's again.
    bytes.fill(0xa5);
  }
  stream.end();
  return hash.digest("hex");
}

/** Reads to the end, with a pause now and then, and keeps the last that it read to see that it stays as it was. */
async function readSlowly(stream: Duplex): Promise<string> {
  const hash = createHash("sha256");
  let until = PAUSE_AFTER[0]!;
  let pauses = 0;
  let kept: readonly [Buffer, string] | null = null;
  const digest = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
  stream.on("data", (chunk: Buffer) => {
    hash.update(chunk);
    until -= chunk.length;
    if (until > 0) return;
    if (kept !== null) assert.equal(digest(kept[0]), kept[1]);
    kept = [chunk, digest(chunk)];
    pauses += 1;
    until = PAUSE_AFTER[pauses % PAUSE_AFTER.length]!;
    stream.pause();
    // Some turns in which the other side fills all that lies between.
    let turns = pauses % 20;
    const wait = () => {
      if (turns-- > 0) setImmediate(wait);
      else stream.resume();
    };
    wait();
  });
  await once(stream, "end");
  return hash.digest("hex");
}

test("64 MiB each way at once arrive as they were written, with slow readers and writers that change their memory", {
  timeout: 60_000,
}, async (context) => {
  const [one, other] = await openSecured(context);
  const [here, there, gotThere, gotHere] = await Promise.all([
    write(one, 1),
    write(other, 2),
    readSlowly(other),
    readSlowly(one),
  ]);
  assert.equal(gotThere, here);
  assert.equal(gotHere, there);
});

test("what TLS was given before its end arrives although the writer goes as soon as it has finished", async (context) => {
  const [one, other] = await openSecured(context);
  const bytes = Buffer.alloc(1 << 20, "to the very end ");
  const received = readSlowly(other);
  one.on("finish", () => one.destroy());
  one.resume().end(bytes);
  assert.equal(await received, createHash("sha256").update(bytes).digest("hex"));
});
