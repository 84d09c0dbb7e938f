import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { duplexPair } from "node:stream";
import { test } from "node:test";
import fc from "fast-check";
import { createSocketPair } from "../../../../tests/support/socket-pair.ts";
import { throttleStream } from "../../src/warden/throttle.ts";
import { TokenBucket } from "../../src/warden/token-bucket.ts";

async function collect(stream: NodeJS.ReadableStream): Promise<Buffer> {
  const pieces: Buffer[] = [];
  stream.on("data", (piece: Buffer) => pieces.push(piece));
  await once(stream, "end");
  return Buffer.concat(pieces);
}

test("a throttled stream passes on every octet in order, both ways, and then its end", async () => {
  const pieces = fc.array(fc.integer({ min: 1, max: 4000 }), { minLength: 1, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(pieces, pieces, async (forth, back) => {
      const [near, far] = await createSocketPair({ allowHalfOpen: true });
      const outer = throttleStream(near, new TokenBucket(1_000_000, performance.now() + 1000));
      const sent = [forth, back].map((sizes) => sizes.map((size) => randomBytes(size)));
      const received = [collect(far), collect(outer)];
      for (const [at, stream] of [outer, far].entries()) {
        for (const piece of sent[at]!) {
          stream.write(piece);
          await new Promise(setImmediate);
        }
        stream.end();
      }
      const [atFar, atOuter] = await Promise.all(received);
      assert.ok(atFar!.equals(Buffer.concat(sent[0]!)), "what was written");
      assert.ok(atOuter!.equals(Buffer.concat(sent[1]!)), "what was read");
      outer.destroy();
    }),
    { numRuns: 40 },
  );
});

test("a throttled stream that is destroyed tells the write that waits, and destroys what it carries", async () => {
  const [near] = duplexPair();
  const outer = throttleStream(near, new TokenBucket(1, performance.now()));
  const written = new Promise((resolve) => outer.write(Buffer.alloc(100), resolve));
  outer.on("error", () => {}).destroy();
  assert.equal(((await written) as { code: string }).code, "gate/closed");
  assert.ok(near.destroyed);
});
