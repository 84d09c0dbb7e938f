/** Measurements to expect of the image that is built here, by the kind of Keep. */
import { readFileSync } from "node:fs";
import { DonjonError } from "@donjon/core/errors";
import { encodeHex } from "@donjon/core/hex";
import { FIRMWARE_PATHS, findFirmware } from "@donjon/host/backend/hardware";
import { findLaunchFiles } from "@donjon/host/backend/launch-files";
import { measureVmLaunch } from "@donjon/host/backend/qemu/measure";
import { ENGINE_FLAGS, SANDBOXED_ENGINE_FLAGS } from "@donjon/host/backend/sandbox";
import { SNP_CPU } from "@donjon/host/backend/snp";
import type { KeepImageFiles } from "@donjon/host/image/find";
import { measureProcessLaunch } from "@donjon/host/image/launch";
import { measureImage } from "@donjon/host/measure/measure-image";
import { findRuntime } from "../early-keep.ts";
import { openImage } from "../image/open-image.ts";
import type { ReferenceTable, ReferenceValue } from "./template.ts";

export const PROTECTING_KINDS = ["snp", "tdx", "sgx"] as const;
/** What Keeps that nothing protects are measured as, by the simulated security processor. */
export const SIMULATED_KINDS = ["process", "vm"] as const;
export const REFERENCE_KINDS = [...PROTECTING_KINDS, ...SIMULATED_KINDS] as const;
export type ReferenceKind = (typeof REFERENCE_KINDS)[number];

export interface ReferenceOptions {
  /** Folder of an image; the one built last when not given. */
  readonly image?: string;
  readonly firmware?: string;
  /** QEMU's name of the processor's model; SNP only. */
  readonly cpu?: string;
  readonly vcpus?: number;
  /** What Gramine's signer printed, lower-case hex; SGX only. */
  readonly mrEnclave?: readonly string[];
  readonly mrSigner?: readonly string[];
}

/** A table, and the image that it was made of: lower-case hex, `null` for values that were given. */
export interface MeasuredTable extends ReferenceTable {
  readonly imageDigest: string | null;
}

export interface References {
  readonly tables: readonly MeasuredTable[];
  /** Why there is no table for a kind, one sentence each. */
  readonly missing: readonly string[];
}

/** Never throws for what this machine lacks: it is said in `missing`. */
export function findReferences(
  kinds: readonly string[],
  options: ReferenceOptions = {},
): References {
  const tables: MeasuredTable[] = [];
  const missing: string[] = [];
  for (const kind of REFERENCE_KINDS.filter((each) => kinds.includes(each))) {
    try {
      tables.push(MEASURE[kind](options));
    } catch (error) {
      if (!(error instanceof DonjonError)) throw error;
      missing.push(`${kind}: ${error.message}`);
    }
  }
  return { tables, missing };
}

const MEASURE: Readonly<Record<ReferenceKind, (options: ReferenceOptions) => MeasuredTable>> = {
  snp: (options) => measureVm("snp", options),
  tdx: (options) => measureVm("tdx", options),
  sgx: measureSgx,
  process: measureProcess,
  vm: measureUnprotectedVm,
};

function measureVm(tee: "snp" | "tdx", options: ReferenceOptions): MeasuredTable {
  const { cpu = SNP_CPU, vcpus = 1 } = options;
  const firmware = options.firmware ?? findFirmware(tee);
  if (firmware === null) {
    const places = FIRMWARE_PATHS[tee].join(", ");
    throw missing(`this machine has no firmware for it (${places}); name one with --firmware`);
  }
  const image = needImage(options.image);
  const { policy, machine } = measureImage({ tee, image, firmware, cpu, vcpus });
  const about = [`firmware ${firmware}`, ...machine].join("; ");
  const keys = Object.entries(policy).map(([key, values]) => [
    key,
    values.map((value): ReferenceValue => ({ value, about })),
  ]);
  return { tee, keys: Object.fromEntries(keys), imageDigest: image.digest };
}

/** An enclave's measurement depends on how Gramine's signer laid it out: it is taken from there. */
function measureSgx({ mrEnclave = [], mrSigner = [] }: ReferenceOptions): MeasuredTable {
  if (mrEnclave.length === 0 && mrSigner.length === 0) {
    throw missing(
      "its measurement comes from Gramine's signer; give it with --mr-enclave HEX, or accept all of a signer's with --mr-signer HEX",
    );
  }
  const given = (value: string): ReferenceValue => ({ value, about: "as given" });
  const enclaves = mrEnclave.length > 0 ? mrEnclave.map(given) : "any";
  const signers = mrSigner.length > 0 ? { mr_signer: mrSigner.map(given) } : {};
  return { tee: "sgx", keys: { mr_enclave: enclaves, ...signers }, imageDigest: null };
}

function measureProcess(): MeasuredTable {
  const files = findLaunchFiles({ engine: process.execPath, runtime: findRuntime() });
  const sandboxed = measureProcessLaunch(files.listFiles(), SANDBOXED_ENGINE_FLAGS);
  const bare = measureProcessLaunch(files.listBareFiles(), ENGINE_FLAGS);
  const values = [
    { value: encodeHex(sandboxed.measurement), about: "SIMULATED: a process under bubblewrap" },
    { value: encodeHex(bare.measurement), about: "SIMULATED: a process without a sandbox" },
  ];
  return { tee: "sgx", keys: { mr_enclave: values }, imageDigest: sandboxed.imageDigest };
}

function measureUnprotectedVm({ image: directory }: ReferenceOptions): MeasuredTable {
  const image = needImage(directory);
  const { measurement, imageDigest } = measureVmLaunch({
    kernel: image.vmlinux,
    initrd: image.initrd,
    commandLine: readFileSync(image.cmdline, "utf8"),
    imageDigest: image.digest,
  });
  const value = { value: encodeHex(measurement), about: "SIMULATED: a virtual machine" };
  return { tee: "snp", keys: { measurement: [value] }, imageDigest };
}

function needImage(directory: string | undefined): KeepImageFiles {
  const found = openImage(directory);
  if (found.image !== null) return found.image;
  throw missing(`${found.why}; 'donjon image build' builds one, --image names another`);
}

function missing(why: string): DonjonError {
  return new DonjonError("files/read", why);
}
