import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeBits, defineBits, encodeBits, unknownBits } from "../src/bits.ts";
import { DonjonError } from "../src/errors.ts";
import {
  type Decoded,
  decodeLayout,
  defineLayout,
  encodeLayout,
  int,
  octets,
  since,
  zero,
} from "../src/layout.ts";

const RECORD = defineLayout({
  name: "RECORD",
  source: "this test",
  size: 24,
  byteOrder: "little",
  fields: [
    int(0, "small", "u8"),
    zero(1, 1),
    int(2, "short", "u16"),
    int(4, "word", "u32"),
    int(8, "long", "u64"),
    octets(16, "tail", 4),
    since(2, int(20, "later", "u32")),
  ],
});

const FLAGS = defineBits({
  name: "FLAGS",
  source: "this test",
  width: 64,
  fields: [
    { bit: 0, width: 8, name: "level" },
    { bit: 9, width: 1, name: "on" },
    { bit: 63, width: 1, name: "last" },
  ],
});

const BYTES = Uint8Array.from([
  1, 0, 2, 0, 3, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 9, 9, 9, 9, 5, 0, 0, 0,
]);

function code(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof DonjonError);
    return error.code;
  }
  return "none";
}

test("a layout reads its fields in its byte order", () => {
  assert.deepEqual(decodeLayout(RECORD, BYTES), {
    small: 1,
    short: 2,
    word: 3,
    long: 4n,
    tail: Uint8Array.from([9, 9, 9, 9]),
    later: 5,
  });
});

test("a field of a later version is reserved in an earlier one", () => {
  assert.equal(
    code(() => decodeLayout(RECORD, BYTES, { version: 1 })),
    "bytes/invalid",
  );
  const early = BYTES.with(20, 0);
  assert.equal(decodeLayout(RECORD, early, { version: 1 }).later, undefined);
  assert.equal(decodeLayout(RECORD, BYTES, { version: 1, reserved: "ignore" }).later, undefined);
});

test("a reserved octet that is not zero, and any other length, is refused", () => {
  assert.equal(
    code(() => decodeLayout(RECORD, BYTES.with(1, 1))),
    "bytes/invalid",
  );
  assert.equal(
    code(() => decodeLayout(RECORD, BYTES.subarray(1))),
    "bytes/truncated",
  );
  assert.equal(
    code(() => decodeLayout(RECORD, new Uint8Array(25))),
    "bytes/trailing",
  );
});

const record: fc.Arbitrary<Decoded<typeof RECORD>> = fc.record(
  {
    small: fc.nat(0xff),
    short: fc.nat(0xffff),
    word: fc.integer({ min: 0, max: 0xffffffff }),
    long: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    tail: fc.uint8Array({ minLength: 4, maxLength: 4 }),
    later: fc.nat(),
  },
  { noNullPrototype: true },
);

test("what is written is read back the same, also inside a larger buffer", () => {
  fc.assert(
    fc.property(record, fc.nat(16), (values, shift) => {
      const bytes = encodeLayout(RECORD, values);
      const outer = new Uint8Array(bytes.length + shift);
      outer.set(bytes, shift);
      assert.deepEqual(decodeLayout(RECORD, outer.subarray(shift)), values);
    }),
  );
});

test("a value that does not fit its field is a caller's mistake", () => {
  const values = decodeLayout(RECORD, BYTES);
  for (const wrong of [
    { small: 256 },
    { small: -1 },
    { short: 1.5 },
    { long: 2n ** 64n },
    { tail: new Uint8Array(3) },
  ]) {
    assert.throws(() => encodeLayout(RECORD, { ...values, ...wrong }), RangeError);
  }
  assert.throws(() => encodeLayout(RECORD, values, { version: 1 }), RangeError);
  assert.equal(encodeLayout(RECORD, { ...values, later: undefined }, { version: 1 })[20], 0);
});

test("a table with a gap, an overlap or a wrong end is a defect that shows at once", () => {
  const table = (fields: Parameters<typeof defineLayout>[0]["fields"]) => () =>
    defineLayout({ name: "T", source: "", size: 4, byteOrder: "big", fields });
  assert.throws(table([int(0, "a", "u16")]), RangeError);
  assert.throws(table([int(0, "a", "u16"), int(3, "b", "u8")]), RangeError);
  assert.throws(table([int(0, "a", "u16"), int(1, "b", "u16")]), RangeError);
  assert.throws(table([int(0, "a", "u64")]), RangeError);
});

test("bit fields read and write back, and bits without a name are told", () => {
  fc.assert(
    fc.property(fc.nat(255), fc.boolean(), fc.boolean(), (level, on, last) => {
      const value = encodeBits(FLAGS, { level, on, last });
      assert.deepEqual(decodeBits(FLAGS, value), { level, on, last });
      assert.equal(unknownBits(FLAGS, value), 0n);
    }),
  );
  assert.equal(unknownBits(FLAGS, 2n ** 64n - 1n), 2n ** 64n - 1n - 0x80000000000002ffn);
  assert.throws(() => encodeBits(FLAGS, { level: 256, on: false, last: false }), RangeError);
});

test("bit fields that overlap or leave the integer are a defect that shows at once", () => {
  const bits = (bit: number, width: number) => () =>
    defineBits({
      name: "B",
      source: "",
      width: 32,
      fields: [
        { bit: 0, width: 2, name: "a" },
        { bit, width, name: "b" },
      ],
    });
  assert.throws(bits(1, 1), RangeError);
  assert.throws(bits(31, 2), RangeError);
  assert.doesNotThrow(bits(31, 1));
});
