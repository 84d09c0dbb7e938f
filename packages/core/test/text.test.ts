import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeBase64, decodeBase64Url, encodeBase64, encodeBase64Url } from "../src/base64.ts";
import { bytesKey, concatBytes, equalBytes, isZero, reverseBytes } from "../src/bytes.ts";
import { DonjonError } from "../src/errors.ts";
import { decodeHex, encodeHex } from "../src/hex.ts";

const octets = fc.uint8Array({ maxLength: 100 });

test("hexadecimal agrees with Node's in both directions", () => {
  fc.assert(
    fc.property(octets, (bytes) => {
      const text = Buffer.from(bytes).toString("hex");
      assert.equal(encodeHex(bytes), text);
      assert.deepEqual(decodeHex(text), bytes);
      assert.deepEqual(decodeHex(text.toUpperCase()), bytes);
    }),
  );
});

test("base64 and base64url agree with Node's in both directions", () => {
  fc.assert(
    fc.property(octets, (bytes) => {
      const standard = Buffer.from(bytes).toString("base64");
      const url = Buffer.from(bytes).toString("base64url");
      assert.equal(encodeBase64(bytes), standard);
      assert.equal(encodeBase64Url(bytes), url);
      assert.deepEqual(decodeBase64(standard), bytes);
      assert.deepEqual(decodeBase64Url(url), bytes);
    }),
  );
});

const BAD: readonly (readonly [read: (text: string) => unknown, text: string])[] = [
  [decodeHex, "0"],
  [decodeHex, "0g"],
  [decodeHex, "0x00"],
  [decodeHex, " 00"],
  [decodeBase64, "AA"],
  [decodeBase64, "AAA"],
  [decodeBase64, "A==="],
  [decodeBase64, "AB=="],
  [decodeBase64, "AAB="],
  [decodeBase64, "AA==AA=="],
  [decodeBase64, "AA\nA"],
  [decodeBase64, "AA-_"],
  [decodeBase64Url, "A"],
  [decodeBase64Url, "AB"],
  [decodeBase64Url, "AA=="],
  [decodeBase64Url, "AA+/"],
];

for (const [read, text] of BAD) {
  test(`${read.name} refuses ${JSON.stringify(text)}`, () => {
    assert.throws(
      () => read(text),
      (error) => error instanceof DonjonError && error.code === "bytes/invalid",
    );
  });
}

test("arbitrary text is read or refused with the error class", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      for (const read of [decodeHex, decodeBase64, decodeBase64Url]) {
        try {
          read(text);
        } catch (error) {
          assert.ok(error instanceof DonjonError);
        }
      }
    }),
  );
});

test("byte strings have equal keys when and only when they are equal", () => {
  fc.assert(
    fc.property(octets, octets, (a, b) => {
      assert.equal(bytesKey(a) === bytesKey(b), equalBytes(a, b));
      assert.equal(equalBytes(a, b), Buffer.compare(a, b) === 0);
      assert.equal(bytesKey(a.slice()), bytesKey(a));
    }),
  );
  const long = new Uint8Array(10_000).fill(7);
  assert.equal(bytesKey(long).length, 10_000);
  assert.notEqual(bytesKey(long), bytesKey(long.with(9_999, 8)));
});

test("joining, reversing and asking for zeros do what they say", () => {
  fc.assert(
    fc.property(octets, octets, (a, b) => {
      assert.deepEqual(concatBytes(a, b), new Uint8Array([...a, ...b]));
      assert.deepEqual(reverseBytes(reverseBytes(a)), a);
      assert.equal(
        isZero(a),
        a.every((octet) => octet === 0),
      );
    }),
  );
});
