/** Measurements to expect of the image that is built here, by the kind of Keep. */
import { join, resolve } from "node:path";
import { DonjonError } from "@donjon/core/errors";
import { encodeHex } from "@donjon/core/hex";
import { FIRMWARE_PATHS, findFirmware } from "@donjon/host/backend/hardware";
import { findLaunchFiles } from "@donjon/host/backend/launch-files";
import { ENGINE_FLAGS, SANDBOXED_ENGINE_FLAGS } from "@donjon/host/backend/sandbox";
import { SNP_CPU } from "@donjon/host/backend/snp";
import { digestTree } from "@donjon/host/image/digest";
import { imageFiles, type KeepImageFiles, searchImage } from "@donjon/host/image/find";
import { measureProcessLaunch } from "@donjon/host/image/launch";
import { listTree } from "@donjon/host/image/tree";
import { measureImage } from "@donjon/host/measure/measure-image";
import { findRuntime } from "../early-keep.ts";
import type { ReferenceTable, ReferenceValue } from "./template.ts";

/** `process`: what a Keep that nothing protects is measured as by the simulated security processor. */
export const REFERENCE_KINDS = ["snp", "tdx", "sgx", "process"] as const;
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

export interface References {
  /** Lower-case hex; `null` when no image is there. */
  readonly imageDigest: string | null;
  readonly tables: readonly ReferenceTable[];
  /** Why there is no table for a kind, one sentence each. */
  readonly missing: readonly string[];
}

/** Never throws for what this machine lacks: it is said in `missing`. */
export function findReferences(
  kinds: readonly string[],
  options: ReferenceOptions = {},
): References {
  const tables: ReferenceTable[] = [];
  const missing: string[] = [];
  let imageDigest: string | null = null;
  for (const kind of REFERENCE_KINDS.filter((each) => kinds.includes(each))) {
    try {
      const { table, digest } = MEASURE[kind](options);
      imageDigest ??= digest;
      tables.push(table);
    } catch (error) {
      if (!(error instanceof DonjonError)) throw error;
      missing.push(`${kind}: ${error.message}`);
    }
  }
  return { imageDigest, tables, missing };
}

interface Measured {
  readonly table: ReferenceTable;
  readonly digest: string | null;
}

const MEASURE: Readonly<Record<ReferenceKind, (options: ReferenceOptions) => Measured>> = {
  snp: (options) => measureVm("snp", options),
  tdx: (options) => measureVm("tdx", options),
  sgx: measureSgx,
  process: measureProcess,
};

function measureVm(tee: "snp" | "tdx", options: ReferenceOptions): Measured {
  const { cpu = SNP_CPU, vcpus = 1 } = options;
  const firmware = options.firmware ?? findFirmware(tee);
  if (firmware === null) {
    const places = FIRMWARE_PATHS[tee].join(", ");
    throw missing(`this machine has no firmware for it (${places}); name one with --firmware`);
  }
  const image = openImage(options.image);
  const { policy, machine } = measureImage({ tee, image, firmware, cpu, vcpus });
  const about = [`firmware ${firmware}`, ...machine].join("; ");
  const keys = Object.entries(policy).map(([key, values]) => [
    key,
    values.map((value): ReferenceValue => ({ value, about })),
  ]);
  return { table: { tee, keys: Object.fromEntries(keys) }, digest: image.digest };
}

/** An enclave's measurement depends on how Gramine's signer laid it out: it is taken from there. */
function measureSgx({ mrEnclave = [], mrSigner = [] }: ReferenceOptions): Measured {
  if (mrEnclave.length === 0 && mrSigner.length === 0) {
    throw missing(
      "its measurement comes from Gramine's signer; give it with --mr-enclave HEX, or accept all of a signer's with --mr-signer HEX",
    );
  }
  const given = (value: string): ReferenceValue => ({ value, about: "as given" });
  const enclaves = mrEnclave.length > 0 ? mrEnclave.map(given) : "any";
  const signers = mrSigner.length > 0 ? { mr_signer: mrSigner.map(given) } : {};
  return { table: { tee: "sgx", keys: { mr_enclave: enclaves, ...signers } }, digest: null };
}

function measureProcess(): Measured {
  const files = findLaunchFiles({ engine: process.execPath, runtime: findRuntime() });
  const sandboxed = measureProcessLaunch(files.listFiles(), SANDBOXED_ENGINE_FLAGS);
  const bare = measureProcessLaunch(files.listBareFiles(), ENGINE_FLAGS);
  const values = [
    { value: encodeHex(sandboxed.measurement), about: "SIMULATED: a process under bubblewrap" },
    { value: encodeHex(bare.measurement), about: "SIMULATED: a process without a sandbox" },
  ];
  return {
    table: { tee: "sgx", keys: { mr_enclave: values } },
    digest: sandboxed.imageDigest,
  };
}

function openImage(directory: string | undefined): KeepImageFiles {
  if (directory !== undefined) {
    const { digest } = digestTree(listTree(join(directory, "tree")));
    return imageFiles(resolve(directory), digest);
  }
  const found = searchImage({ engine: process.execPath, runtime: findRuntime() });
  if (found.image !== null) return found.image;
  throw missing(`${found.why}; 'donjon image build' builds one, --image names another`);
}

function missing(why: string): DonjonError {
  return new DonjonError("files/read", why);
}
