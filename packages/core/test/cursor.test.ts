import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Cursor } from "../src/cursor.ts";
import { DonjonError } from "../src/errors.ts";

const BYTES = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);

test("a cursor reads integers in its byte order, one after another", () => {
  const little = new Cursor(BYTES);
  assert.deepEqual(
    [little.u8("a"), little.u16("b"), little.u32("c"), little.u64("d")],
    [1, 0x0302, 0x07060504, 0x0f0e0d0c0b0a0908n],
  );
  little.end("the record");
  const big = new Cursor(BYTES, "big");
  assert.deepEqual(
    [big.u8("a"), big.u16("b"), big.u32("c"), big.u64("d")],
    [1, 0x0203, 0x04050607, 0x08090a0b0c0d0e0fn],
  );
});

test("a cursor says what it was reading, where, and how much was missing", () => {
  const cursor = new Cursor(BYTES.subarray(0, 3));
  cursor.u16("head");
  assert.throws(
    () => cursor.u32("length"),
    (error) =>
      error instanceof DonjonError &&
      error.code === "bytes/truncated" &&
      error.message === "Cannot read length at offset 2: found 1 octets, wanted 4",
  );
  assert.throws(
    () => cursor.end("the record"),
    (error) => error instanceof DonjonError && error.code === "bytes/trailing",
  );
});

test("a length that is no count is a caller's mistake", () => {
  for (const length of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => new Cursor(BYTES).bytes(length, "data"), RangeError);
  }
});

test("no sequence of reads leaves the input", () => {
  const step = fc.oneof(fc.constantFrom("u8", "u16", "u32", "u64"), fc.nat(2 ** 32));
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 40 }),
      fc.array(step, { maxLength: 20 }),
      (bytes, steps) => {
        const cursor = new Cursor(bytes);
        for (const one of steps) {
          const before = cursor.offset;
          try {
            if (typeof one === "number") assert.equal(cursor.bytes(one, "data").length, one);
            else cursor[one]("number");
          } catch (error) {
            assert.ok(error instanceof DonjonError && error.code === "bytes/truncated");
            assert.equal(cursor.offset, before);
          }
          assert.equal(cursor.offset + cursor.remaining, bytes.length);
        }
      },
    ),
  );
});
