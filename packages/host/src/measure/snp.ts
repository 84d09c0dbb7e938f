/** What an SEV-SNP report will say in `measurement` for a guest that is yet to start. */
import { DonjonError } from "@donjon/core/errors";
import { CPU_SIGNATURES } from "./cpu-signature.ts";
import { type Firmware, parseFirmware, wrongFirmware } from "./firmware.ts";
import { encodeKernelHashes, type KernelInputs } from "./kernel-hashes.ts";
import { LaunchDigest, type PageWithoutContent } from "./launch-digest.ts";
import {
  parseSevMetadata,
  SECTION_TYPE,
  type SevMetadata,
  type SevSection,
} from "./sev-metadata.ts";
import { encodeVmsa, VMMS, type Vmm } from "./vmsa.ts";

/** QEMU's own limit for x86 machines. */
const MAX_VCPUS = 4096;

/** In RDX at reset under the clouds' VMMs, whatever the processor. */
const CLOUD_RDX = 0x600;

/** SEV_FEATURES with nothing but SNP, which KVM of Linux 6.8 and newer starts guests with. */
export const SNP_ACTIVE = 0x1n;

export interface SnpLaunch {
  /** The file given to QEMU's `-bios`. */
  readonly firmware: Uint8Array;
  readonly kernel?: Uint8Array | undefined;
  readonly initrd?: Uint8Array | undefined;
  /** Kernel command line. */
  readonly append?: string | undefined;
  readonly vcpus: number;
  /** Name of a model of QEMU's `-cpu`, or the CPUID signature itself; the clouds' VMMs use neither. */
  readonly cpu?: string | number | undefined;
  /** SEV_FEATURES; `SNP_ACTIVE` when left out, 0x21 (with debug swap) on older Linux. */
  readonly guestFeatures?: bigint | undefined;
  /** `qemu` when left out. */
  readonly vmm?: Vmm | undefined;
  /**
   * RDX at reset under `ec2` and `gce`; 0x600 when left out, as sev-snp-measure 0.0.13 has it. virtee/sev of April 2026
   * has 0 for `ec2`.
   */
  readonly cloudRdx?: number | undefined;
}

/**
 * The launch digest, 48 octets (SEV-SNP firmware ABI, SNP_LAUNCH_UPDATE; QEMU, target/i386/sev.c).
 * @throws DonjonError `measure/firmware` when the firmware is malformed, or cannot bind a kernel that is given;
 *   `measure/unsupported` when the processor's model is not known; RangeError for wrong numbers
 */
export function measureSnp(launch: SnpLaunch): Uint8Array<ArrayBuffer> {
  const { vcpus, vmm = "qemu", guestFeatures = SNP_ACTIVE } = launch;
  if (!Number.isInteger(vcpus) || vcpus < 1 || vcpus > MAX_VCPUS)
    throw new RangeError(`vcpus must be 1 to ${MAX_VCPUS}, found ${vcpus}`);
  if (guestFeatures < 0n || guestFeatures >= 1n << 64n)
    throw new RangeError(`guestFeatures must be a number of 64 bits, found ${guestFeatures}`);
  if (!VMMS.includes(vmm)) throw new RangeError(`vmm must be one of ${VMMS.join(", ")}`);
  const rdx = vmm === "qemu" ? resolveCpu(launch.cpu) : (launch.cloudRdx ?? CLOUD_RDX);
  const kernel = readKernelInputs(launch);
  const firmware = parseFirmware(launch.firmware);
  const metadata = parseSevMetadata(firmware);
  const digest = new LaunchDigest();
  digest.addNormalPages(firmware.gpa, firmware.bytes);
  addSections(digest, metadata, kernel, vmm);
  const processor = { vmm, rdx, guestFeatures };
  digest.addVmsa(encodeVmsa(processor));
  if (vcpus > 1) {
    const page = encodeVmsa({ ...processor, eip: readApEip(metadata) });
    for (let cpu = 1; cpu < vcpus; cpu++) digest.addVmsa(page);
  }
  return digest.value;
}

/** Digest of the firmware's pages alone: what a launch digest begins with. */
export function measureSnpFirmware(firmware: Firmware): Uint8Array<ArrayBuffer> {
  const digest = new LaunchDigest();
  digest.addNormalPages(firmware.gpa, firmware.bytes);
  return digest.value;
}

function addSections(
  digest: LaunchDigest,
  metadata: SevMetadata,
  kernel: KernelInputs | null,
  vmm: Vmm,
): void {
  const { sections } = metadata;
  if (kernel !== null && !sections.some(({ type }) => type === SECTION_TYPE.kernelHashes)) {
    throw wrongFirmware(
      "found no section for kernel hashes (type 0x10), so the launch digest would not cover the kernel",
      "firmware that checks kernel hashes, such as OVMF.amdsev.fd",
      "measure a kernel with",
    );
  }
  // Amazon's VMM adds the CPUID page after all others.
  const late = ({ type }: SevSection) => vmm === "ec2" && type === SECTION_TYPE.cpuid;
  const ordered = [...sections.filter((s) => !late(s)), ...sections.filter(late)];
  for (const section of ordered) addSection(digest, section, metadata, kernel, vmm);
}

function addSection(
  digest: LaunchDigest,
  { type, gpa, pages }: SevSection,
  { hashTableGpa }: SevMetadata,
  kernel: KernelInputs | null,
  vmm: Vmm,
): void {
  if (type === SECTION_TYPE.kernelHashes && kernel !== null) {
    digest.addNormalPages(gpa, encodeKernelHashes(kernel, hashTableGpa));
  } else {
    digest.addPages(choosePageType(type, vmm), gpa, pages);
  }
}

function choosePageType(type: SevSection["type"], vmm: Vmm): PageWithoutContent {
  if (type === SECTION_TYPE.secrets) return "secrets";
  if (type === SECTION_TYPE.cpuid) return "cpuid";
  return type === SECTION_TYPE.secMem && vmm === "gce" ? "unmeasured" : "zero";
}

function readKernelInputs({ kernel, initrd, append }: SnpLaunch): KernelInputs | null {
  if (append?.includes("\0")) throw new RangeError("append must not contain NUL");
  if (kernel !== undefined) return { kernel, initrd, append };
  if (initrd !== undefined || append !== undefined)
    throw new RangeError("initrd and append need a kernel: without one the digest covers neither");
  return null;
}

function resolveCpu(cpu: string | number | undefined): number {
  if (typeof cpu === "number") {
    if (Number.isInteger(cpu) && cpu >= 0 && cpu < 2 ** 32) return cpu;
    throw new RangeError(`a CPUID signature has 32 bits, found ${cpu}`);
  }
  const signature = CPU_SIGNATURES.get(cpu ?? "");
  if (signature !== undefined) return signature;
  throw new DonjonError(
    "measure/unsupported",
    `Cannot measure for the processor model '${cpu ?? ""}': wanted one of ${[...CPU_SIGNATURES.keys()].join(", ")}, or a CPUID signature`,
  );
}

function readApEip({ apEip }: SevMetadata): number {
  if (apEip !== 0) return apEip;
  throw wrongFirmware(
    "found no start address for further processors",
    "one, or a guest with one processor",
    "measure several processors with",
  );
}
