import assert from "node:assert/strict";
import { test } from "node:test";
import { encode } from "cborg";
import fc from "fast-check";
import { AttestError } from "../../src/attest-error.ts";
import { contentFormatTag } from "../../src/envelope/cmw.ts";
import {
  CMW_INDICATOR,
  type Cmw,
  encodeCmwCbor,
  encodeCmwJson,
  encodeCmwTag,
  parseCmwCbor,
  parseCmwJson,
} from "../../src/envelope.ts";
import { refusal } from "../refusal.ts";

const RECORD: Cmw = {
  kind: "record",
  type: "application/eat+cwt",
  value: new Uint8Array([1, 2, 3]),
  indicator: CMW_INDICATOR.evidence,
};

const record: fc.Arbitrary<Cmw> = fc
  .record({
    type: fc.oneof(fc.string({ minLength: 1, maxLength: 40 }), fc.nat(65_535)),
    value: fc.uint8Array({ maxLength: 40 }),
    indicator: fc.option(fc.integer({ min: 1, max: 31 }), { nil: undefined }),
  })
  .map(({ type, value, indicator }) => ({
    kind: "record",
    type,
    value,
    ...(indicator !== undefined && { indicator }),
  }));
const collection: fc.Arbitrary<Cmw> = fc
  .tuple(
    fc.array(fc.tuple(fc.stringMatching(/^[a-z]{1,8}$/), record), { minLength: 1, maxLength: 4 }),
    fc.option(fc.constant("tag:example.com,2026:x"), { nil: undefined }),
  )
  .map(([members, type]) => ({
    kind: "collection",
    members: new Map(members),
    ...(type !== undefined && { type }),
  }));
const cmw = fc.oneof(record, collection);

test("what is written in CBOR or JSON is read back the same", () => {
  fc.assert(
    fc.property(cmw, (value) => {
      assert.deepEqual(sorted(parseCmwCbor(encodeCmwCbor(value))), sorted(value));
      assert.deepEqual(parseCmwJson(encodeCmwJson(value)), value);
    }),
  );
});

/** Deterministic CBOR orders labels. */
function sorted(value: Cmw): Cmw {
  if (value.kind === "record") return value;
  return {
    ...value,
    members: new Map([...value.members].sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))),
  };
}

test("a record is an array of type, base64url value and indicator", () => {
  assert.equal(encodeCmwJson(RECORD), '["application/eat+cwt","AQID",4]');
  assert.deepEqual(parseCmwJson('["application/eat+cwt","AQID",4]'), RECORD);
});

test("content format 60 is tag 1668546877, and 255 skips the number that would end in 0xff", () => {
  assert.equal(contentFormatTag(60), 1668546877);
  assert.equal(contentFormatTag(255), 1668546817 + 256);
});

test("the tag form is read as a record of its content format", () => {
  for (const type of [0, 60, 254, 255, 30_001, 65_535]) {
    const bytes = encodeCmwTag({ kind: "record", type, value: new Uint8Array([9]) });
    assert.deepEqual(parseCmwCbor(bytes), { kind: "record", type, value: new Uint8Array([9]) });
  }
});

const BAD_JSON = [
  "",
  "{",
  "null",
  "1",
  "[]",
  '["a"]',
  '["a","=="]',
  '["a","AQ",0]',
  '["a","AQ",1,2]',
  '["","AQ"]',
  "{}",
  '{"__cmwc_t":1,"a":["a","AQ"]}',
  '{"a":{"a":1}}',
  '[-1,"AQ"]',
];
for (const text of BAD_JSON) {
  test(`the JSON ${JSON.stringify(text)} is refused`, () => {
    assert.throws(() => parseCmwJson(text), refusal("envelope/malformed"));
  });
}

test("nesting without end, duplicate labels, foreign tags and rests are refused", () => {
  const deep = `${'{"a":'.repeat(20)}["a","AQ"]${"}".repeat(20)}`;
  assert.throws(() => parseCmwJson(deep), refusal("envelope/malformed"));
  const arrays = new Uint8Array(1 << 20).fill(0x81);
  assert.throws(() => parseCmwCbor(arrays), refusal("envelope/malformed"));
  const one = encodeCmwCbor(RECORD);
  assert.throws(
    () => parseCmwCbor(new Uint8Array([0xa2, 0x61, 0x61, ...one, 0x61, 0x61, ...one])),
    refusal("envelope/malformed"),
  );
  assert.throws(() => parseCmwCbor(new Uint8Array([...one, 0])), refusal("envelope/malformed"));
  assert.throws(
    () => parseCmwCbor(new Uint8Array([0xc1, 0x41, 0x00])),
    refusal("envelope/malformed"),
  );
  assert.throws(() => parseCmwCbor(encode(["a", "text"])), refusal("envelope/malformed"));
  assert.throws(() => parseCmwCbor(new Uint8Array(5 << 20)), refusal("envelope/limit"));
});

test("arbitrary octets and texts never throw anything but the error class", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.json(), (bytes, text) => {
      for (const run of [() => parseCmwCbor(bytes), () => parseCmwJson(text)]) {
        try {
          run();
        } catch (error) {
          assert.ok(error instanceof AttestError, String(error));
        }
      }
    }),
    { numRuns: 2000 },
  );
});
