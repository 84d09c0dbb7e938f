import assert from "node:assert/strict";
import { Duplex, PassThrough } from "node:stream";
import { test } from "node:test";
import fc from "fast-check";
import { throttleStream } from "../../src/warden/throttle.ts";
import { TokenBucket } from "../../src/warden/token-bucket.ts";

test("a taker who waits as long as it is told gets the rate, and one second's worth on top", () => {
  const pieces = fc.array(fc.integer({ min: 1, max: 200_000 }), { minLength: 1, maxLength: 100 });
  fc.assert(
    fc.property(pieces, fc.integer({ min: 1024, max: 1 << 20 }), (sizes, rate) => {
      const bucket = new TokenBucket(rate, 0);
      let now = 0;
      let taken = 0;
      for (const size of sizes) {
        const wait = bucket.take(size, now);
        taken += size;
        now += wait;
        assert.ok(taken <= rate + (now * rate) / 1000 + 1, `${taken} octets after ${now} ms`);
        // Never told to wait for what it may have already.
        if (wait > 0) assert.ok(taken > rate + ((now - 1) * rate) / 1000 - rate / 1000 - 1);
      }
    }),
  );
});

test("a throttled stream carries every octet in order, both ways, no faster than it may", async () => {
  const there = new PassThrough();
  const back = new PassThrough();
  const inner = Duplex.from({ readable: back, writable: there } as never);
  const rate = 200_000;
  const bucket = new TokenBucket(rate, performance.now());
  const outer = throttleStream(inner, bucket);
  const started = performance.now();
  const sent = Buffer.alloc(150_000, "abcdefg");
  outer.end(sent);
  back.end(sent);
  const read = async (stream: AsyncIterable<Uint8Array>) => {
    const parts: Uint8Array[] = [];
    for await (const part of stream) parts.push(part);
    return Buffer.concat(parts);
  };
  const [through, received] = await Promise.all([read(there), read(outer)]);
  assert.ok(through.equals(sent) && received.equals(sent));
  // 300,000 octets, 200,000 of which are in reserve.
  const elapsedMs = performance.now() - started;
  assert.ok(elapsedMs > 400, `${elapsedMs} ms`);
});
