/** Launches over which `measureSnp` is compared with sev-snp-measure: every pair of values of two inputs occurs somewhere. */
import type { SnpLaunch } from "../../src/measure/snp.ts";
import type { Vmm } from "../../src/measure/vmsa.ts";
import { fill } from "./synthetic-firmware.ts";

export interface SnpCase {
  readonly vcpus: number;
  readonly cpu: string | number;
  readonly kernel: Uint8Array | undefined;
  readonly initrd: Uint8Array | undefined;
  readonly append: string | undefined;
  readonly features: number;
  readonly vmm: Vmm;
}

const VCPUS = [1, 2, 3, 4, 8, 64];
/** Those that sev-snp-measure 0.0.13 names too, and a bare signature. */
const CPUS = [
  "EPYC",
  "EPYC-v4",
  "EPYC-Rome",
  "EPYC-Milan-v2",
  "EPYC-Genoa",
  "EPYC-Turin",
  0xa20f12,
];
const APPENDS = [
  undefined,
  "console=ttyS0 loglevel=7",
  "panic=-1 donjon",
  "ä — 日本",
  "x".repeat(2047),
];
const INITRDS = [undefined, fill(1, 3), fill(10_000, 4)];
const FEATURES = [0x1, 0x21];
const VMMS: readonly Vmm[] = ["qemu", "qemu", "qemu", "ec2", "gce"];

/** 84 launches. Strides with no common factor walk through the lists. */
export const SNP_CASES: readonly SnpCase[] = Array.from({ length: 84 }, (_, at) => {
  const kernel = at % 7 === 3 ? undefined : fill(5000 + at, at);
  return {
    vcpus: VCPUS[at % VCPUS.length]!,
    cpu: CPUS[at % CPUS.length]!,
    kernel,
    initrd: kernel && INITRDS[(at >> 1) % INITRDS.length],
    append: kernel && APPENDS[at % APPENDS.length],
    features: FEATURES[(at >> 2) % FEATURES.length]!,
    vmm: VMMS[(at >> 3) % VMMS.length]!,
  };
});

export function toLaunch(firmware: Uint8Array, item: SnpCase): SnpLaunch {
  const { features, ...rest } = item;
  return { firmware, ...rest, guestFeatures: BigInt(features) };
}
