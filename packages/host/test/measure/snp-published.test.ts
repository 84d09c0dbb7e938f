/**
 * Published launch digests. The values are among the vectors (`DONJON_VECTORS`); the firmware they were computed over,
 * `ovmf_*_suffix.bin` of sev-snp-measure's tests, comes from the folder that `DONJON_OVMF` names.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { encodeHex } from "@donjon/core/hex";
import { parseFirmware } from "../../src/measure/firmware.ts";
import { measureSnp, measureSnpFirmware } from "../../src/measure/snp.ts";
import type { Vmm } from "../../src/measure/vmsa.ts";

interface Row {
  readonly id: string;
  readonly mode: string;
  readonly ovmf: string;
  readonly vcpus: number;
  readonly vcpu_type: string | null;
  readonly kernel: string | null;
  readonly initrd: string | null;
  readonly append: string | null;
  readonly guest_features: string;
  readonly vmm: Vmm;
  /** `null`: must be refused. */
  readonly expected: string | null;
}

const ROOT = join(import.meta.dirname, "../../../..");
const VECTORS = process.env["DONJON_VECTORS"] ?? join(ROOT, "../shared/vectors");
const OVMF = process.env["DONJON_OVMF"];
const FILE = join(VECTORS, "virtee-sev/measurement/launch-digests.json");

const rows: readonly Row[] = existsSync(FILE) ? JSON.parse(readFileSync(FILE, "utf8")).rows : [];
if (rows.length === 0) {
  console.error(`SKIPPED THE PUBLISHED LAUNCH DIGESTS: none at ${FILE}; set DONJON_VECTORS`);
}

/** Why a row cannot be computed here. */
function chooseSkip({ mode, ovmf }: Row): string | false {
  if (mode === "seves") return "SEV-ES: not a launch that a Keep can have";
  if (OVMF === undefined || !existsSync(join(OVMF, ovmf)))
    return `no ${ovmf}; set DONJON_OVMF to a folder with it`;
  return false;
}

function readFile(kind: string | null): Uint8Array | undefined {
  assert.ok(kind === null || kind === "empty");
  return kind === null ? undefined : new Uint8Array(0);
}

function measure(row: Row): string {
  const firmware = new Uint8Array(readFileSync(join(OVMF!, row.ovmf)));
  if (row.mode === "ovmf-hash") return encodeHex(measureSnpFirmware(parseFirmware(firmware)));
  const launch = {
    firmware,
    kernel: readFile(row.kernel),
    initrd: readFile(row.initrd),
    append: row.append ?? undefined,
    vcpus: row.vcpus,
    cpu: row.vcpu_type ?? undefined,
    guestFeatures: BigInt(row.guest_features),
    vmm: row.vmm,
  };
  return encodeHex(measureSnp(launch));
}

const skipped = rows.filter((row) => chooseSkip(row) !== false);
if (skipped.length > 0) {
  console.error(`SKIPPED ${skipped.length} OF ${rows.length} PUBLISHED LAUNCH DIGESTS`);
}

for (const row of rows) {
  const what = row.expected === null ? "is refused" : "equals the published one";
  test(`launch digest ${row.id} ${what}`, { skip: chooseSkip(row) }, () => {
    if (row.expected === null) assert.throws(() => measure(row), { code: "measure/firmware" });
    else assert.equal(measure(row), row.expected);
  });
}
