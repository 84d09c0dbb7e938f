/** What the simulated security processor of a VM Keep measures (docs/image.md, launch of a VM Keep). */
import { createHash } from "node:crypto";
import { hashFile } from "../../image/hash-cache.ts";
import type { Launch } from "../backend.ts";

const LABEL = "donjon/vm-launch/1";

export interface VmLaunchFiles {
  /** Absolute paths of what QEMU loads. */
  readonly kernel: string;
  readonly initrd: string;
  readonly commandLine: string;
  /** Image digest, lower-case hex. */
  readonly imageDigest: string;
}

/**
 * Stands for an SNP launch digest: SHA-384 over the JSON text of `[label, SHA-256 of the kernel, SHA-256 of the initrd,
 * command line]`, hashes in lower-case hex, which no other list has. Throws `files/read`.
 */
export function measureVmLaunch({
  kernel,
  initrd,
  commandLine,
  imageDigest,
}: VmLaunchFiles): Launch {
  const parts = [LABEL, hashFile(kernel).sha256, hashFile(initrd).sha256, commandLine];
  const measurement = createHash("sha384").update(JSON.stringify(parts)).digest();
  return { tee: "snp", measurement, imageDigest };
}
