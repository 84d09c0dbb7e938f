import assert from "node:assert/strict";
import { test } from "node:test";
import { DonjonError } from "@donjon/core/errors";
import { encodeHex } from "@donjon/core/hex";
import fc from "fast-check";
import { measureSnp, type SnpLaunch } from "../../src/measure/snp.ts";
import { SNP_CASES, toLaunch } from "./snp-cases.ts";
import { KNOWN_ANSWERS } from "./snp-known-answers.ts";
import { buildFirmware, SECTIONS, WITHOUT_HASHES } from "./synthetic-firmware.ts";

const FIRMWARE = buildFirmware();
const LAUNCH: SnpLaunch = {
  firmware: FIRMWARE,
  kernel: Uint8Array.of(1, 2, 3),
  initrd: Uint8Array.of(4, 5),
  append: "panic=-1",
  vcpus: 2,
  cpu: "EPYC-v4",
};

function digest(change: Partial<SnpLaunch> = {}): string {
  return encodeHex(measureSnp({ ...LAUNCH, ...change }));
}

/** The code of the refusal; fails when nothing is refused. */
function refusal(change: Partial<SnpLaunch>, message: RegExp): void {
  assert.throws(
    () => digest(change),
    (error) =>
      error instanceof DonjonError &&
      error.code === "measure/firmware" &&
      message.test(error.message),
  );
}

test("launch digests are those that sev-snp-measure computed", () => {
  for (const [at, wanted] of Object.entries(KNOWN_ANSWERS)) {
    const found = encodeHex(measureSnp(toLaunch(FIRMWARE, SNP_CASES[Number(at)]!)));
    assert.equal(found, wanted, `case ${at}`);
  }
});

test("one changed octet of firmware, kernel, initrd or command line changes the digest", () => {
  const inputs = fc.constantFrom("firmware", "kernel", "initrd", "append");
  const base = digest();
  // Between the pages' filling and the metadata, so that the firmware stays well formed.
  const place = fc.nat({ max: FIRMWARE.length - 0x1000 });
  fc.assert(
    fc.property(inputs, place, fc.integer({ min: 1, max: 255 }), (input, at, bits) => {
      if (input === "append") {
        const append = `${LAUNCH.append}${String.fromCharCode(bits)}`;
        assert.notEqual(digest({ append }), base);
        return;
      }
      const bytes = LAUNCH[input as "firmware" | "kernel" | "initrd"]!.slice();
      bytes[at % bytes.length]! ^= bits;
      assert.notEqual(digest({ [input]: bytes }), base);
    }),
    { numRuns: 300 },
  );
});

test("every other input changes the digest", () => {
  const { initrd: _, ...noInitrd } = LAUNCH;
  const { initrd: __, append: ___, kernel: ____, ...noKernel } = LAUNCH;
  const digests = [
    digest(),
    digest({ vcpus: 1 }),
    digest({ vcpus: 3 }),
    digest({ cpu: "EPYC-Genoa" }),
    digest({ cpu: 1 }),
    digest({ guestFeatures: 0x21n }),
    digest({ vmm: "ec2" }),
    digest({ vmm: "ec2", cloudRdx: 0 }),
    digest({ vmm: "gce" }),
    digest({ firmware: buildFirmware({ apEip: 0x80_c004 }) }),
    digest({ firmware: buildFirmware({ hashTableGpa: 0x81_0c10 }) }),
    digest({ firmware: buildFirmware({ sections: SECTIONS.toReversed() }) }),
    encodeHex(measureSnp(noInitrd)),
    encodeHex(measureSnp(noKernel)),
  ];
  assert.equal(new Set(digests).size, digests.length);
});

test("what hashes alike under QEMU measures alike: no initrd and an empty one, versions of a processor model", () => {
  const { initrd: _, ...noInitrd } = LAUNCH;
  assert.equal(encodeHex(measureSnp(noInitrd)), digest({ initrd: new Uint8Array(0) }));
  assert.equal(digest({ cpu: "EPYC-v1" }), digest({ cpu: 0x800f12 }));
  assert.equal(digest({ cpu: "EPYC-Milan" }), digest({ cpu: 0xa00f11 }));
});

test("a kernel is refused with firmware that would not check it", () => {
  refusal(
    { firmware: buildFirmware({ sections: WITHOUT_HASHES }) },
    /no section for kernel hashes/,
  );
  refusal({ firmware: buildFirmware({ hashTableGpa: 0 }) }, /table of kernel hashes at 0x0/);
  refusal({ firmware: buildFirmware({ hashTableGpa: null }) }, /table of kernel hashes at 0x0/);
  refusal({ firmware: buildFirmware({ hashTableGpa: 0x81_0f51 }) }, /room for 176 octets/);
});

test("several processors are refused with firmware that says no start address, one is not", () => {
  refusal({ firmware: buildFirmware({ apEip: 0 }) }, /no start address/);
  assert.equal(digest({ firmware: buildFirmware({ apEip: 0 }), vcpus: 1 }).length, 96);
  refusal({ firmware: buildFirmware({ apEip: null }) }, /no SEV-ES reset block/);
});

test("wrong arguments are refused", () => {
  const { kernel: _, ...noKernel } = LAUNCH;
  assert.throws(() => measureSnp(noKernel), RangeError);
  for (const vcpus of [0, -1, 1.5, 4097, Number.NaN])
    assert.throws(() => digest({ vcpus }), RangeError);
  for (const cpu of [-1, 2 ** 32, 0.5]) assert.throws(() => digest({ cpu }), RangeError);
  assert.throws(() => digest({ append: "a\0b" }), RangeError);
  assert.throws(() => digest({ guestFeatures: 1n << 64n }), RangeError);
  assert.throws(() => digest({ vmm: "bhyve" as "qemu" }), RangeError);
  assert.throws(() => digest({ cpu: "Skylake" }), /'Skylake': wanted one of EPYC, EPYC-v1/);
  assert.throws(() => digest({ cpu: undefined }), DonjonError);
});
