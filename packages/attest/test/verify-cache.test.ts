import assert from "node:assert/strict";
import { test } from "node:test";
import { VerifyCache } from "../src/verify-cache.ts";

/** How often each input was parsed. */
function counter(cache: VerifyCache) {
  const counts = new Map<number, number>();
  const parse = (first: number, size: number) =>
    cache.parsed("test", new Uint8Array(size).fill(first), (bytes) => {
      counts.set(first, (counts.get(first) ?? 0) + 1);
      return bytes.length;
    });
  return { counts, parse };
}

test("what was parsed is remembered under its octets, and its kind", () => {
  const cache = new VerifyCache();
  const { counts, parse } = counter(cache);
  assert.equal(parse(1, 10), 10);
  assert.equal(parse(1, 10), 10);
  assert.equal(counts.get(1), 1);
  assert.equal(
    cache.parsed("other", new Uint8Array(10).fill(1), () => "another"),
    "another",
  );
});

test("the oldest leave when there are too many", () => {
  const { counts, parse } = counter(new VerifyCache({ entries: 2 }));
  for (const first of [1, 2, 3, 3, 1]) parse(first, 10);
  assert.deepEqual(
    [...counts],
    [
      [1, 2],
      [2, 1],
      [3, 1],
    ],
  );
});

test("a stream of large inputs, genuine or not, holds no more octets than allowed", () => {
  const { counts, parse } = counter(new VerifyCache({ octets: 1000 }));
  parse(1, 100);
  for (let first = 2; first < 200; first++) parse(first, 400);
  parse(1, 100);
  assert.equal(counts.get(1), 2);
  parse(250, 5000);
  parse(250, 5000);
  assert.equal(counts.get(250), 2, "what is larger than all that is allowed is not kept");
});
