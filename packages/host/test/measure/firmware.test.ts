import assert from "node:assert/strict";
import { test } from "node:test";
import { DonjonError } from "@donjon/core/errors";
import fc from "fast-check";
import { MAX_FIRMWARE_BYTES, parseFirmware } from "../../src/measure/firmware.ts";
import { encodeGuid, formatGuid } from "../../src/measure/guid.ts";
import { parseSevMetadata } from "../../src/measure/sev-metadata.ts";
import { measureSnp } from "../../src/measure/snp.ts";
import { buildFirmware, SECTIONS, u32s, writeTable } from "./synthetic-firmware.ts";

const GUID = "dc886566-984a-4798-a75e-5585a7bf67cc";
/** Octets of the table's footer and of what lies behind it. */
const FOOTER_FROM_END = 32 + 18;

function refuse(bytes: Uint8Array, message: RegExp): void {
  assert.throws(
    () => parseSevMetadata(parseFirmware(bytes)),
    (error) =>
      error instanceof DonjonError &&
      error.code === "measure/firmware" &&
      message.test(error.message),
  );
}

test("a GUID is stored with its first three fields little-endian", () => {
  const bytes = encodeGuid("00112233-4455-6677-8899-aabbccddeeff");
  assert.equal(Buffer.from(bytes).toString("hex"), "33221100554477668899aabbccddeeff");
  assert.equal(formatGuid(bytes), "00112233-4455-6677-8899-aabbccddeeff");
});

test("sections, start address and hash table are read as written", () => {
  const metadata = parseSevMetadata(parseFirmware(buildFirmware()));
  assert.equal(metadata.apEip, 0x80_b004);
  assert.equal(metadata.hashTableGpa, 0x81_0c00);
  assert.deepEqual(
    metadata.sections.map(({ gpa, pages, type }) => ({ gpa, size: pages * 4096, type })),
    SECTIONS,
  );
});

test("what is no firmware is refused", () => {
  refuse(new Uint8Array(0), /found 0 octets/);
  refuse(new Uint8Array(4095), /found 4095 octets/);
  refuse(new Uint8Array(MAX_FIRMWARE_BYTES + 4096), /at most 16777216/);
  refuse(new Uint8Array(8192), /found GUID 00000000-/);
});

test("a broken table is refused", () => {
  const table = (entries: [string, Uint8Array][]) => {
    const bytes = buildFirmware();
    writeTable(bytes, entries);
    return bytes;
  };
  const twice: [string, Uint8Array] = [GUID, u32s(0x600)];
  refuse(table([twice, twice]), /each GUID once/);
  refuse(table([]), /found no SEV metadata/);
  refuse(table([[GUID, new Uint8Array(3)]]), /found 3 octets in the table's entry/);
  const long = buildFirmware();
  long.set([0xff, 0xff], long.length - FOOTER_FROM_END);
  refuse(long, /found a table of 65535 octets/);
  const short = buildFirmware();
  short.set([17, 0], short.length - FOOTER_FROM_END);
  refuse(short, /found a table of 17 octets/);
  const entry = buildFirmware();
  entry.set([17, 0], entry.length - FOOTER_FROM_END - 18);
  refuse(entry, /of 17 octets in the table/);
  const left = buildFirmware();
  left.set([18 + 5, 0], left.length - FOOTER_FROM_END);
  refuse(left, /an entry none of 0 octets/);
});

test("broken SEV metadata are refused", () => {
  const sections = (...list: { gpa: number; size: number; type: number }[]) =>
    buildFirmware({ sections: list });
  refuse(sections({ gpa: 0, size: 4096, type: 7 }), /type 0x7/);
  refuse(sections({ gpa: 1, size: 4096, type: 1 }), /at 0x1 /);
  refuse(sections({ gpa: 0, size: 4095, type: 1 }), /of 4095 octets/);
  refuse(sections({ gpa: 0, size: 8192, type: 2 }), /one page for secrets/);
  refuse(sections({ gpa: 0, size: 0xffff_f000, type: 1 }), /16384 pages altogether/);
  const half = { gpa: 0, size: 8193 * 4096, type: 1 };
  refuse(sections(half, half), /16384 pages altogether/);
  const change = (at: number, value: number) => {
    const bytes = buildFirmware();
    new DataView(bytes.buffer).setUint32(bytes.length - 0x600 + at, value, true);
    return bytes;
  };
  refuse(change(0, 0), /signature "\\u0000/);
  refuse(change(4, 17), /of 17 octets with 6 sections/);
  refuse(change(8, 2), /version 2/);
  refuse(change(12, 0xffff_ffff), /with 4294967295 sections/);
  for (const offset of [0, 15, 16, 0xffff_ffff]) {
    const bytes = buildFirmware();
    writeTable(bytes, [
      [GUID, u32s(offset)],
      ["00f771de-1a7e-4fcb-890e-68c77e2fb44e", u32s(1)],
    ]);
    refuse(bytes, /SEV metadata/);
  }
});

test("firmware with any octets changed, or cut off, is measured or refused, never anything else", () => {
  const firmware = buildFirmware({ pages: 1 });
  const launch = { kernel: Uint8Array.of(1), vcpus: 2, cpu: "EPYC" };
  const attempt = (bytes: Uint8Array) => {
    try {
      return measureSnp({ ...launch, firmware: bytes }).length === 48;
    } catch (error) {
      return error instanceof DonjonError && error.code === "measure/firmware";
    }
  };
  // The tables and metadata: where a change can lead the parser astray.
  const at = fc.integer({ min: firmware.length - 0x700, max: firmware.length - 1 });
  const changes = fc.array(fc.tuple(at, fc.nat({ max: 255 })), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(changes, (list) => {
      const bytes = firmware.slice();
      for (const [place, value] of list) bytes[place] = value;
      return attempt(bytes);
    }),
    { numRuns: 2000 },
  );
  fc.assert(
    fc.property(fc.nat({ max: firmware.length }), (length) => attempt(firmware.subarray(length))),
    { numRuns: 300 },
  );
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), attempt));
});
