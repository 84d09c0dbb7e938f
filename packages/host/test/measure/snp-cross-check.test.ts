/**
 * `measureSnp` beside sev-snp-measure of PyPI. `SNP_MEASURE_PYTHON` names a Python with that package (0.0.13);
 * `DONJON_OVMF` a folder with more firmware than this machine has installed.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { encodeHex } from "@donjon/core/hex";
import { measureSnp } from "../../src/measure/snp.ts";
import { SNP_CASES, type SnpCase, toLaunch } from "./snp-cases.ts";
import { buildFirmware, WITHOUT_HASHES } from "./synthetic-firmware.ts";

const python = process.env["SNP_MEASURE_PYTHON"];
const skip = python === undefined && "set SNP_MEASURE_PYTHON to compare with sev-snp-measure";
if (skip) console.error(`SKIPPED THE CROSS-CHECK OF LAUNCH DIGESTS: ${skip}`);

const FOLDERS = [
  process.env["DONJON_OVMF"] ?? "/nonexistent",
  "/usr/share/ovmf",
  "/usr/share/OVMF",
];

function findFirmware(name: string): string | undefined {
  return FOLDERS.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** What sev-snp-measure says of each case, in order; `error` where it refuses. */
function askOracle(firmware: string, cases: readonly SnpCase[], folder: string): string[] {
  const save = (name: string, bytes: Uint8Array | undefined) => {
    if (bytes === undefined) return null;
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  };
  const lines = cases.map(({ kernel, initrd, append, ...rest }, at) =>
    JSON.stringify({
      firmware,
      ...rest,
      kernel: save(`kernel-${at}`, kernel),
      initrd: save(`initrd-${at}`, initrd),
      append: append ?? "",
    }),
  );
  const script = join(import.meta.dirname, "snp-oracle.py");
  const answer = spawnSync(python!, [script], {
    input: `${lines.join("\n")}\n`,
    encoding: "utf8",
    timeout: 120_000,
  });
  assert.equal(answer.status, 0, answer.stderr);
  return answer.stdout.trim().split("\n");
}

function measure(firmware: Uint8Array, item: SnpCase): string {
  try {
    return encodeHex(measureSnp(toLaunch(firmware, item)));
  } catch {
    return "error";
  }
}

function compare(firmware: Uint8Array, wantedDigests: number): void {
  const folder = mkdtempSync(join(tmpdir(), "donjon-measure-"));
  try {
    const path = join(folder, "firmware.fd");
    writeFileSync(path, firmware);
    const wanted = askOracle(path, SNP_CASES, folder);
    const found = SNP_CASES.map((item) => measure(firmware, item));
    assert.deepEqual(found, wanted);
    const digests = new Set(wanted.filter((line) => line !== "error"));
    assert.ok(digests.size >= wantedDigests, `only ${digests.size} different digests compared`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("launch digests of small firmware equal those of sev-snp-measure over 84 launches", {
  skip,
}, () => {
  compare(buildFirmware(), 80);
  compare(buildFirmware({ pages: 1, hashTableGpa: 0x81_0010, seed: 9, apEip: 0xffff_f123 }), 80);
});

test("firmware without a section for kernel hashes is refused with a kernel, as sev-snp-measure does", {
  skip,
}, () => {
  compare(buildFirmware({ sections: WITHOUT_HASHES }), 10);
});

for (const [name, digests] of [
  ["OVMF.amdsev.fd", 80],
  ["OVMF.fd", 10],
  ["OVMF.inteltdx.ms.fd", 10],
] as const) {
  const path = findFirmware(name);
  const missing = path === undefined && `no ${name} in ${FOLDERS.join(", ")}; set DONJON_OVMF`;
  if (missing) console.error(`SKIPPED: ${missing}`);
  test(`launch digests of Debian's ${name} equal those of sev-snp-measure over 84 launches`, {
    skip: skip || missing,
  }, () => {
    compare(readFileSync(path!), digests);
  });
}
