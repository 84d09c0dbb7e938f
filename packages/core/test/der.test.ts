import assert from "node:assert/strict";
import { test } from "node:test";
import { contextTag, DER_TAG, DerReader, MAX_DER_DEPTH, openDer } from "@donjon/core/der";
import { parseEcdsaSignature } from "@donjon/core/ecdsa";
import { DonjonError } from "@donjon/core/errors";
import { parseOid } from "@donjon/core/oid";
import fc from "fast-check";

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));
const refused = (code: string) => (error: unknown) =>
  error instanceof DonjonError && error.code === code;

test("DerReader reads lengths of one, two and three bytes", () => {
  for (const length of [0, 1, 127, 128, 255, 256, 65_535]) {
    const size =
      length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
    const encoding = Uint8Array.from([4, ...size, ...new Uint8Array(length).fill(7)]);
    const element = new DerReader(encoding).readAny("value");
    assert.equal(element.contents.length, length);
    assert.deepEqual(element.encoding, encoding);
  }
});

const malformed: readonly [string, string, string][] = [
  ["an indefinite length", "30 80 00 00", "bytes/invalid"],
  ["a padded one-byte length", "04 81 01 00", "bytes/invalid"],
  ["a padded two-byte length", `04 82 00 80 ${"00".repeat(128)}`, "bytes/invalid"],
  ["a length of five bytes", "04 85 00 00 00 00 01 00", "bytes/limit"],
  ["a length beyond the input", "04 05 00", "bytes/truncated"],
  ["a length that is cut off", "04 82 01", "bytes/truncated"],
  ["a tag of two bytes", "1f 81 01 00", "bytes/invalid"],
  ["no bytes at all", "", "bytes/truncated"],
];
for (const [name, hex, code] of malformed) {
  test(`DerReader refuses ${name}`, () => {
    assert.throws(() => new DerReader(bytes(hex)).readAny("value"), refused(code));
  });
}

test("openDer refuses trailing bytes and too many bytes", () => {
  assert.throws(
    () => openDer(bytes("3000 00"), DER_TAG.sequence, "x", 9),
    refused("bytes/trailing"),
  );
  assert.throws(() => openDer(bytes("3000"), DER_TAG.sequence, "x", 1), refused("bytes/limit"));
});

test("DerReader refuses nesting beyond its limit", () => {
  let reader = new DerReader(new Uint8Array(0), MAX_DER_DEPTH);
  assert.equal(reader.done, true);
  reader = new DerReader(bytes("3000"), MAX_DER_DEPTH);
  assert.throws(() => reader.enter(DER_TAG.sequence, "x"), refused("bytes/limit"));
});

test("DerReader reads numbers in their shortest form only", () => {
  assert.equal(new DerReader(bytes("02 02 00 DB")).readNumber("x"), 0xdb);
  assert.equal(new DerReader(bytes("02 04 7f ff ff ff")).readNumber("x"), 2 ** 31 - 1);
  for (const hex of ["0200", "0202007f", "0202ff80", "0201ff", "02050100000000"]) {
    assert.throws(() => new DerReader(bytes(hex)).readNumber("x"), refused("bytes/invalid"));
  }
});

test("DerReader reads TRUE and FALSE in DER form only", () => {
  assert.equal(new DerReader(bytes("0101ff")).readBoolean("x"), true);
  assert.equal(new DerReader(bytes("010100")).readBoolean("x"), false);
  assert.throws(() => new DerReader(bytes("010101")).readBoolean("x"), refused("bytes/invalid"));
});

test("DerReader refuses a wrong tag and names both", () => {
  assert.throws(() => new DerReader(bytes("0500")).read(DER_TAG.set, "x"), /0x05, wanted 0x31/);
  assert.equal(new DerReader(bytes("0500")).readOptional(contextTag(0), "x"), undefined);
});

const time = (tag: string, text: string) =>
  new DerReader(
    bytes(`${tag}${text.length.toString(16).padStart(2, "0")}${Buffer.from(text).toString("hex")}`),
  );

test("DerReader reads both forms of time", () => {
  assert.equal(time("17", "491231235959Z").readTime("x"), Date.UTC(2049, 11, 31, 23, 59, 59));
  assert.equal(time("17", "500101000000Z").readTime("x"), Date.UTC(1950, 0, 1));
  assert.equal(time("18", "20500101000000Z").readTime("x"), Date.UTC(2050, 0, 1));
});

test("DerReader refuses times that are none", () => {
  for (const text of [
    "490230000000Z",
    "491301000000Z",
    "490101240000Z",
    "490101006000Z",
    "4901010000Z",
    "490101000000+0100",
  ]) {
    assert.throws(() => time("17", text).readTime("x"), refused("bytes/invalid"), text);
  }
  assert.throws(() => time("18", "20490101000000.5Z").readTime("x"), refused("bytes/invalid"));
});

test("parseOid reads dotted form and refuses padding, cuts and huge arcs", () => {
  assert.equal(parseOid(bytes("2a864886f84d010d01")), "1.2.840.113741.1.13.1");
  assert.equal(parseOid(bytes("6781050504 09")), "2.23.133.5.4.9");
  assert.equal(parseOid(bytes("8837")), "2.999");
  for (const hex of ["", "2a80", "802a", "2affffffffffffffff7f"]) {
    assert.throws(() => parseOid(bytes(hex)), refused("bytes/invalid"), hex);
  }
});

test("parseEcdsaSignature puts r and s side by side", () => {
  const raw = parseEcdsaSignature(bytes("3007 0201 05 0202 00ff"), 32);
  assert.equal(raw.length, 64);
  assert.equal(raw[31], 5);
  assert.equal(raw[63], 0xff);
  assert.throws(
    () => parseEcdsaSignature(bytes("3006 0201ff 020101"), 32),
    refused("bytes/invalid"),
  );
  assert.throws(() => parseEcdsaSignature(bytes("3003 020101"), 32), refused("bytes/truncated"));
});

test("DerReader throws nothing but DonjonError on arbitrary bytes", () => {
  const readAll = (reader: DerReader): void => {
    while (!reader.done) {
      const tag = reader.peekTag()!;
      if ((tag & 0x20) !== 0) readAll(reader.enter(tag, "any"));
      else reader.readAny("any");
    }
  };
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (input) => {
      try {
        readAll(new DerReader(input));
      } catch (error) {
        assert.ok(error instanceof DonjonError);
      }
    }),
    { numRuns: 2000 },
  );
});
