import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { hashSmall, SMALL_BYTES } from "@donjon/core/sha256";
import fc from "fast-check";

const expected = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

test("hashSmall gives the published digests of FIPS 180-4's examples", () => {
  const digests: readonly (readonly [string, string])[] = [
    ["", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
    ["abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
    [
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
    ],
  ];
  for (const [text, digest] of digests) {
    assert.equal(hashSmall(new TextEncoder().encode(text)), digest);
  }
});

test("hashSmall agrees with the engine at every length around the edges of a block", () => {
  const bytes = Uint8Array.from({ length: 200 }, (_, i) => (i * 151) & 0xff);
  for (let length = 0; length <= bytes.length; length++) {
    assert.equal(hashSmall(bytes.subarray(0, length)), expected(bytes.subarray(0, length)));
  }
});

test("hashSmall agrees with the engine for any bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5000 }), (bytes) => {
      assert.equal(hashSmall(bytes), expected(bytes));
    }),
  );
});

test("hashSmall takes as much as it says and not one byte more", () => {
  const most = new Uint8Array(SMALL_BYTES).fill(0xff);
  assert.equal(hashSmall(most), expected(most));
  assert.throws(() => hashSmall(new Uint8Array(SMALL_BYTES + 1)), RangeError);
});
