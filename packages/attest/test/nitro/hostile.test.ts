/** What a hostile host can do to a Nitro document: change bits, cut, append, send anything. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DonjonError } from "@donjon/core/errors";
import { makeFakeNitro, makeNitroDocument, NITRO_NOW } from "@donjon/testkit/nitro";
import fc from "fast-check";
import { parseNitroDocument } from "../../src/nitro/document.ts";
import { verifyNitro } from "../../src/nitro/verify.ts";
import { VerifyCache } from "../../src/verify-cache.ts";
import { refusal } from "../refusal.ts";

const nitro = await makeFakeNitro();
const document = await makeNitroDocument(nitro);
const cache = new VerifyCache();
const verify = (bytes: Uint8Array) =>
  verifyNitro(bytes, { now: NITRO_NOW, roots: nitro.roots, cache });

function flipped(bit: number): Uint8Array {
  const copy = new Uint8Array(document);
  copy[bit >> 3]! ^= 1 << (bit & 7);
  return copy;
}

test("a document with any one bit flipped is refused", async () => {
  await verify(document);
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 8 * document.length - 1 }), async (bit) => {
      await assert.rejects(verify(flipped(bit)), refusal());
    }),
    { numRuns: 800 },
  );
});

test("every prefix of a document is refused, and every suffix after it", async () => {
  for (let length = 0; length < document.length; length += 1) {
    assert.throws(
      () => parseNitroDocument(document.subarray(0, length)),
      refusal("nitro/malformed"),
    );
  }
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), (suffix) => {
      const padded = new Uint8Array([...document, ...suffix]);
      assert.throws(() => parseNitroDocument(padded), refusal("nitro/malformed"));
    }),
  );
});

test("parseNitroDocument throws nothing but DonjonError on arbitrary and on damaged bytes", () => {
  const damaged = fc
    .tuple(fc.nat(document.length - 1), fc.uint8Array({ minLength: 1, maxLength: 8 }))
    .map(([at, octets]) => {
      const copy = new Uint8Array(document);
      copy.set(octets.subarray(0, document.length - at), at);
      return copy;
    });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 500 }), damaged), (bytes) => {
      try {
        parseNitroDocument(bytes);
      } catch (error) {
        assert.ok(error instanceof DonjonError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});

/** Milliseconds that one call may take on the machine that runs the tests. */
const MAX_CALL_MS = 2000;

test("documents made to be slow or large are refused in bounded time", () => {
  const hostile = [
    new Uint8Array(65_535).fill(0x81),
    new Uint8Array(65_535).fill(0x9f),
    Uint8Array.of(0x84, 0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
    Uint8Array.of(0x9b, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff),
    Uint8Array.of(0xbb, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff),
  ];
  for (const [index, bytes] of hostile.entries()) {
    const start = performance.now();
    assert.throws(() => parseNitroDocument(bytes), refusal("nitro/malformed"), `input ${index}`);
    assert.ok(performance.now() - start < MAX_CALL_MS, `input ${index} took too long`);
  }
});
