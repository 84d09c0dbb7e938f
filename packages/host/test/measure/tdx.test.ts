import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { DonjonError } from "@donjon/core/errors";
import { encodeHex } from "@donjon/core/hex";
import fc from "fast-check";
import { hashAuthenticode } from "../../src/measure/authenticode.ts";
import { replayRtmr } from "../../src/measure/rtmr.ts";
import { measureTdx, type TdxLaunch } from "../../src/measure/tdx.ts";
import { buildFirmware, fill, type SyntheticTdvfSection } from "./synthetic-firmware.ts";

/** As Debian's OVMF.inteltdx.ms.fd has them, smaller: firmware volume, variables, scratch memory, TD HOB. */
export const TDVF: readonly SyntheticTdvfSection[] = [
  {
    dataOffset: 0x1000,
    rawSize: 0x3000,
    address: 0xffff_d000n,
    size: 0x3000n,
    type: 0,
    attributes: 1,
  },
  { dataOffset: 0, rawSize: 0x1000, address: 0xffff_c000n, size: 0x1000n, type: 1, attributes: 0 },
  { dataOffset: 0, rawSize: 0, address: 0x81_0000n, size: 0x2000n, type: 3, attributes: 0 },
  { dataOffset: 0, rawSize: 0, address: 0x80_9000n, size: 0x2000n, type: 2, attributes: 0 },
];
const FIRMWARE = buildFirmware({ tdvf: TDVF });

const ROOT = join(import.meta.dirname, "../../../..");
const VECTORS = process.env["DONJON_VECTORS"] ?? join(ROOT, "../shared/vectors");

function refuse(launch: TdxLaunch, code: string, message: RegExp): void {
  assert.throws(
    () => measureTdx(launch),
    (error) => error instanceof DonjonError && error.code === code && message.test(error.message),
  );
}

/** A PE image of 64-bit addresses with two sections, `tail` octets behind them and signatures. */
function buildImage(tail = 24, signatures = 16): Uint8Array<ArrayBuffer> {
  const bytes = fill(0x600 + tail + signatures, 7);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0x5a4d, true);
  view.setUint32(0x3c, 0x80, true);
  view.setUint32(0x80, 0x4550, true);
  view.setUint16(0x86, 2, true); // sections
  view.setUint16(0x94, 0xa0, true); // size of the optional header
  view.setUint16(0x98, 0x20b, true);
  view.setUint32(0x98 + 60, 0x200, true); // headers
  view.setUint32(0x98 + 108, 6, true); // directories
  view.setUint32(0x98 + 112 + 36, signatures, true);
  // The section that comes first in the file is second in the table.
  [0x400, 0x200].forEach((start, at) => {
    view.setUint32(0x138 + 40 * at + 16, 0x200, true);
    view.setUint32(0x138 + 40 * at + 20, start, true);
  });
  return bytes;
}

test("MRTD is what the rules of TDH.MEM.PAGE.ADD and TDH.MR.EXTEND give, in both page orders", () => {
  // Computed apart, by a program of 20 lines in another language.
  const known = {
    page: "2dc7b09941235eebac4cbbfb1ae408aa20bb7142376ae31399a7947ad01c1e0935c91f8de9bccdd0b82be5bdbfb44ac2",
    section:
      "7b9b97fb44faf1bb7cec28fb31b97bea17c3b84e5b4ba0a4f85200fb8a8c0bbbe1c56e5e0afd79dca5609f8639f16f97",
  } as const;
  for (const pageOrder of ["page", "section"] as const)
    assert.equal(encodeHex(measureTdx({ firmware: FIRMWARE, pageOrder }).mrTd), known[pageOrder]);
});

test("measured contents, addresses and sizes change MRTD; unmeasured contents do not", () => {
  const base = encodeHex(measureTdx({ firmware: FIRMWARE }).mrTd);
  const changed = (tdvf: readonly SyntheticTdvfSection[], seed = 1) =>
    encodeHex(measureTdx({ firmware: buildFirmware({ tdvf, seed }) }).mrTd);
  assert.notEqual(changed(TDVF, 2), base);
  assert.notEqual(changed(TDVF.with(2, { ...TDVF[2]!, address: 0x82_0000n })), base);
  assert.notEqual(changed(TDVF.with(2, { ...TDVF[2]!, size: 0x3000n })), base);
  assert.notEqual(changed(TDVF.toReversed()), base);
  const at = (place: number) => {
    const firmware = FIRMWARE.slice();
    firmware[place]! ^= 1;
    return encodeHex(measureTdx({ firmware }).mrTd);
  };
  assert.equal(at(0x800), base);
  fc.assert(
    fc.property(fc.integer({ min: 0x1000, max: 0x2fff }), (place) => at(place) !== base),
    { numRuns: 50 },
  );
});

test("malformed TDX metadata are refused", () => {
  const section = (change: Partial<SyntheticTdvfSection>, at = 0) =>
    buildFirmware({ tdvf: TDVF.with(at, { ...TDVF[at]!, ...change }) });
  const cases: [Uint8Array, RegExp][] = [
    [buildFirmware(), /no TDX metadata/],
    [section({ type: 4 }), /type 4/],
    [section({ attributes: 2 }), /attributes 2/],
    [section({ address: 1n }), /at 0x1 /],
    [section({ address: 1n << 60n }), /at 0x1000000000000000 /],
    [section({ size: 0x4000n }), /of 16384 octets, 12288 of them/],
    [section({ size: 1n << 62n }), /altogether/],
    [section({ dataOffset: 0x2000 }), /at 8192/],
    [section({ rawSize: 0 }, 1), /0 of them from the file/],
    [section({ rawSize: 1 }, 2), /1 of them from the file/],
    [section({ type: 3 }, 3), /wanted one TD HOB/],
    [buildFirmware({ tdvf: [...TDVF, TDVF[3]!] }), /wanted one TD HOB/],
    [buildFirmware({ tdvf: [] }), /wanted one TD HOB/],
  ];
  for (const [firmware, message] of cases) refuse({ firmware }, "measure/firmware", message);
  const start = FIRMWARE.length - 0xc00;
  fc.assert(
    fc.property(fc.nat({ max: 16 + 32 * 4 }), fc.nat({ max: 255 }), (at, value) => {
      const firmware = FIRMWARE.slice();
      firmware[start + at] = value;
      try {
        return measureTdx({ firmware }).mrTd.length === 48;
      } catch (error) {
        return error instanceof DonjonError && error.code === "measure/firmware";
      }
    }),
    { numRuns: 1000 },
  );
});

test("a kernel is hashed as firmware does: without checksum and signatures, sections in file order", () => {
  const image = buildImage();
  const parts = [
    [0, 0x98 + 64],
    [0x98 + 68, 0x98 + 112 + 32],
    [0x98 + 112 + 40, 0x200],
    [0x200, 0x400],
    [0x400, 0x600],
    [0x600, 0x618],
  ] as const;
  const hash = createHash("sha384");
  for (const [from, to] of parts) hash.update(image.subarray(from, to));
  const wanted = hash.digest("hex");
  assert.equal(encodeHex(hashAuthenticode(image)), wanted);
  image.fill(1, image.length - 16);
  image.fill(2, 0x98 + 64, 0x98 + 68);
  assert.equal(encodeHex(hashAuthenticode(image)), wanted);
  image[0x617]! ^= 1;
  assert.notEqual(encodeHex(hashAuthenticode(image)), wanted);
});

test("what is no EFI image is refused, and a changed or cut image is hashed or refused", () => {
  const image = buildImage();
  const attempt = (bytes: Uint8Array) => {
    try {
      return hashAuthenticode(bytes).length === 48;
    } catch (error) {
      return error instanceof DonjonError && error.code === "measure/unsupported";
    }
  };
  for (const bytes of [new Uint8Array(0), fill(100, 1), fill(10_000, 1), image.subarray(0, 0x100)])
    assert.throws(() => hashAuthenticode(bytes), { code: "measure/unsupported" });
  fc.assert(
    fc.property(fc.nat({ max: 0x1ff }), fc.nat({ max: 255 }), fc.nat(0x640), (at, value, end) => {
      const bytes = image.slice();
      bytes[at] = value;
      return attempt(bytes) && attempt(bytes.subarray(0, end));
    }),
    { numRuns: 2000 },
  );
});

test("RTMR1 covers the kernel, RTMR2 command line and initrd, RTMR3 nothing", () => {
  const launch = {
    firmware: FIRMWARE,
    kernel: buildImage(),
    initrd: fill(100, 2),
    append: "panic=-1",
  };
  const measure = (change: Partial<TdxLaunch> = {}) => {
    const { rtmr1, rtmr2, rtmr3 } = measureTdx({ ...launch, ...change });
    return { rtmr1: encodeHex(rtmr1!), rtmr2: encodeHex(rtmr2!), rtmr3: encodeHex(rtmr3) };
  };
  const base = measure();
  assert.equal(base.rtmr3, "0".repeat(96));
  const kernel = measure({ kernel: buildImage(25) });
  assert.notEqual(kernel.rtmr1, base.rtmr1);
  assert.equal(kernel.rtmr2, base.rtmr2);
  for (const change of [
    { initrd: fill(101, 2) },
    { append: "panic=-2" },
    { initrdPlace: "back" },
  ] as const) {
    const other = measure(change);
    assert.equal(other.rtmr1, base.rtmr1);
    assert.notEqual(other.rtmr2, base.rtmr2);
  }
  // By the rule alone: SHA-384 over zeros and the digest of the line, then over that and the digest of the initrd.
  const sha384 = (...parts: Uint8Array[]) =>
    createHash("sha384").update(Buffer.concat(parts)).digest();
  const line = sha384(Buffer.from("initrd=initrd panic=-1\0", "utf16le"));
  const wanted = sha384(sha384(Buffer.alloc(48), line), sha384(launch.initrd));
  assert.equal(base.rtmr2, wanted.toString("hex"));
});

test("a launch that firmware would treat in ways not known is refused", () => {
  const launch = { firmware: FIRMWARE, kernel: buildImage(), initrd: fill(1, 1), append: "a" };
  for (const change of [
    { append: undefined },
    { append: "" },
    { append: "ä" },
    { append: "a\0" },
    { initrd: undefined },
    { initrd: new Uint8Array(0) },
    { kernel: undefined },
    { pageOrder: "x" as "page" },
    { initrdPlace: "x" as "front" },
  ])
    assert.throws(() => measureTdx({ ...launch, ...change }), RangeError);
  refuse({ ...launch, kernel: fill(4096, 1) }, "measure/unsupported", /no DOS header/);
  const { rtmr1, rtmr2 } = measureTdx({ firmware: FIRMWARE });
  assert.deepEqual([rtmr1, rtmr2], [null, null]);
});

/** Events of a CCEL log: register (1 is RTMR0) and digest (TCG PC Client PFP, crypto agile log). */
function readEvents(
  path: string,
): { register: number; type: number; digest: Uint8Array; data: string }[] {
  const bytes = readFileSync(join(VECTORS, path));
  const events = [];
  for (let at = 32 + bytes.readUInt32LE(28); bytes.readUInt32LE(at + 8) === 1; ) {
    const size = bytes.readUInt32LE(at + 62);
    events.push({
      register: bytes.readUInt32LE(at),
      type: bytes.readUInt32LE(at + 4),
      digest: bytes.subarray(at + 14, at + 62),
      data: bytes.toString("latin1", at + 66, at + 66 + size),
    });
    at += 66 + size;
  }
  return events;
}

const skip =
  !existsSync(join(VECTORS, "INDEX.json")) && `no vectors at ${VECTORS}; set DONJON_VECTORS`;
if (skip) console.error(`SKIPPED 2 VECTORS OF EVENT LOGS: ${skip}`);

test("replaying a recorded event log gives the registers of the quote taken with it", {
  skip,
}, () => {
  const events = readEvents("go-tdx-guest/ccel/ccel_data.dat");
  assert.equal(events.length, 43);
  const index: { file: string; repo: string; expected: string; format: string }[] = JSON.parse(
    readFileSync(join(VECTORS, "INDEX.json"), "utf8"),
  );
  const registers = [1, 2, 3, 4].map((register) =>
    encodeHex(replayRtmr(events.filter((e) => e.register === register).map((e) => e.digest))),
  );
  const quotes = index
    .filter(({ repo, file }) => repo === "go-tdx-guest" && /quote/i.test(file))
    .map(({ repo, file }) => readFileSync(join(VECTORS, repo, file)).toString("hex"));
  assert.ok(
    quotes.some((quote) => quote.includes(registers.join(""))),
    "no quote has these RTMRs",
  );
});

test("a recorded direct boot has the events that RTMR1 and RTMR2 are computed from, in that order", {
  skip,
}, () => {
  const events = readEvents("trustee/eventlog/CCEL_data_ovmf");
  const of = (register: number) => events.filter((event) => event.register === register);
  const [kernel, ...rest] = of(2);
  assert.equal(kernel!.type, 0x8000_0003); // EV_EFI_BOOT_SERVICES_APPLICATION
  const texts = [
    "Calling EFI Application from Boot Option",
    "Exit Boot Services Invocation",
    "Exit Boot Services Returned with Success",
  ];
  assert.deepEqual(
    rest.map(({ data }) => data),
    texts,
  );
  assert.match(of(3)[0]!.data, /LOADED_IMAGE::LoadOptions/);
  assert.match(of(3)[1]!.data, /Linux initrd/);
  assert.equal(of(3).length, 2);
  // This firmware, of 2023, counts the separator at hand-over to RTMR0; later ones, as in the other log, to RTMR1.
  assert.equal(of(1).at(-1)!.data, "\0\0\0\0");
  const later = readEvents("go-tdx-guest/ccel/ccel_data.dat").filter((e) => e.register === 2);
  assert.deepEqual(
    later.slice(0, 2).map(({ data }) => data),
    [texts[0], "\0\0\0\0"],
  );
});
