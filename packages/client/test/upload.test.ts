import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { type Duplex, duplexPair } from "node:stream";
import { test } from "node:test";
import { INITIAL_CREDIT } from "@donjon/protocol/limits";
import { encodeCreditFrame, FrameDecoder } from "@donjon/protocol/session/frame";
import { type LazyBytes, openSession } from "../src/session.ts";

/** Reads `bytes` in uneven pieces, and counts its calls. */
function createLazy(bytes: Uint8Array): LazyBytes & { calls: number } {
  let rest = bytes;
  return {
    length: bytes.length,
    calls: 0,
    read(to) {
      this.calls += 1;
      const piece = rest.subarray(0, Math.min(to.length, 1 + ((this.calls * 7919) % 100_000)));
      to.set(piece);
      rest = rest.subarray(piece.length);
      return piece.length;
    },
  };
}

/** The upload that comes out of the other end, to its end; credit is given back for what has come. */
function receiveUpload(keep: Duplex): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  const decoder = new FrameDecoder({
    onMessage() {},
    onDataFrame: (channel, length) => keep.write(encodeCreditFrame(channel, length)),
    onData: (_, piece) => pieces.push(Uint8Array.from(piece)),
    onEnd: () => resolve(Buffer.concat(pieces)),
    onCredit() {},
  });
  keep.on("data", (chunk: Uint8Array) => decoder.push(chunk));
  return promise;
}

const EMPTY = { manifest: new Uint8Array(0), secrets: new Map<string, Uint8Array>(), trees: [] };

test("workload, trees, manifest and secrets go up in this order, and lazy bytes as they were when they were read", async () => {
  const [keep, stream] = duplexPair();
  const parts = [2 * INITIAL_CREDIT + 11, 300_000, 0, 500, 20].map((size) => randomBytes(size));
  const [workload, one, none, manifest, secret] = parts as [Buffer, Buffer, Buffer, Buffer, Buffer];
  const received = receiveUpload(keep);
  const calls: number[] = [];
  const run = openSession(stream).provision(
    {
      manifest: createLazy(manifest),
      workload: createLazy(workload),
      secrets: new Map([["key", secret]]),
      trees: [
        { guest: "/one", bytes: createLazy(one) },
        { guest: "/none", bytes: createLazy(none) },
      ],
    },
    (sent) => calls.push(sent),
  );
  run.result.catch(() => {});
  const total = parts.reduce((sum, { length }) => sum + length, 0);
  assert.ok((await received).equals(Buffer.concat(parts)));
  assert.deepEqual(
    calls,
    calls.toSorted((a, b) => a - b),
  );
  assert.ok(calls.at(-1)! >= total - secret.length - manifest.length);
  stream.destroy();
});

test("what the reading of lazy bytes throws is the failure of the run, and the Keep never gets an end", async () => {
  const [keep, stream] = duplexPair();
  let ended = false;
  receiveUpload(keep).then(() => {
    ended = true;
  });
  const broken: LazyBytes = {
    length: 10,
    read() {
      throw new Error("gone");
    },
  };
  const run = openSession(stream).provision({ ...EMPTY, workload: broken });
  await assert.rejects(run.result, { code: "internal", message: /gone/ });
  assert.ok(stream.destroyed);
  assert.equal(ended, false);
});

test("nothing more is read once the session is over, also while the Keep takes nothing", async () => {
  const [keep, stream] = duplexPair();
  keep.resume();
  const session = openSession(stream);
  const workload = createLazy(new Uint8Array(4 * INITIAL_CREDIT));
  const run = session.provision({ ...EMPTY, workload });
  // Until the credit is used up.
  for (let before = -1; before !== workload.calls; ) {
    before = workload.calls;
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  }
  const { calls } = workload;
  assert.ok(calls > 0);
  session.close();
  await assert.rejects(run.result, { code: "session/closed" });
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  assert.equal(workload.calls, calls);
});
