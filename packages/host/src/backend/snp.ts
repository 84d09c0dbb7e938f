/**
 * The backend `snp`: the Keep is a virtual machine that AMD SEV-SNP protects; QEMU 9.1 or newer. Not yet run on hardware:
 * the command line is held against QEMU's own list of options, the launch digest against other tools.
 */
import { existsSync } from "node:fs";
import { decodeHex } from "@donjon/core/hex";
import type { ImageSource } from "../image/find.ts";
import type { Backend } from "./backend.ts";
import {
  findHardwareParts,
  HARDWARE_MEMORY_MIB,
  type HardwareImage,
  type HardwareOptions,
  readCommandLine,
  startHardwareKeep,
  unavailable,
} from "./hardware.ts";
import { encodeQemuArguments } from "./qemu/arguments.ts";

export const SNP_DEVICE = "/dev/sev";

/**
 * The launch digest covers the processor's model, so that it is said and never left to the host: this one runs on every
 * processor with SEV-SNP.
 */
export const SNP_CPU = "EPYC-v4";

/** Guest policy (SEV-SNP firmware ABI, section 4.3): the bit that must be 1, and SMT allowed. No debugging, no migration. */
export const SNP_POLICY = 0x3_0000n;

export interface SnpMachine extends HardwareOptions {
  readonly kernel: string;
  readonly initrd: string;
  readonly commandLine: string;
  /** 32 octets that evidence repeats; the host chooses them, so they prove nothing by themselves. */
  readonly hostData: Uint8Array;
  /** Model of the processor; `SNP_CPU` when left out. */
  readonly cpu?: string;
  readonly vcpus?: number;
  /** `SNP_POLICY` when left out. */
  readonly policy?: bigint;
  /** Place of the C-bit in a page table entry (CPUID Fn8000_001F EBX[5:0]): 51 on all processors with SEV-SNP so far. */
  readonly cbitpos?: number;
  /** Bits of the physical address that encryption takes (EBX[11:6]): 1 so far. */
  readonly reducedPhysBits?: number;
}

const HOST_DATA_BYTES = 32;

/** The arguments after the program's name. Throws RangeError for host data of another length. */
export function encodeSnpArguments(machine: SnpMachine): string[] {
  const { vcpus = 1, memoryMib = HARDWARE_MEMORY_MIB, policy = SNP_POLICY } = machine;
  const { cbitpos = 51, reducedPhysBits = 1 } = machine;
  if (machine.hostData.length !== HOST_DATA_BYTES)
    throw new RangeError(`hostData has ${HOST_DATA_BYTES} octets`);
  const guest = {
    "qom-type": "sev-snp-guest",
    id: "snp",
    policy: Number(policy),
    cbitpos,
    "reduced-phys-bits": reducedPhysBits,
    // Without this the launch digest covers neither kernel nor initrd nor command line.
    "kernel-hashes": true,
    "host-data": Buffer.from(machine.hostData).toString("base64"),
  };
  // Private pages come from guest_memfd beside it, which KVM makes.
  const memory = {
    "qom-type": "memory-backend-memfd",
    id: "memory",
    size: memoryMib * 2 ** 20,
    share: true,
  };
  return encodeQemuArguments({
    machine: "q35,confidential-guest-support=snp,memory-backend=memory,vmport=off",
    accelerator: "kvm",
    cpu: machine.cpu ?? SNP_CPU,
    vcpus,
    memoryMib,
    kernel: machine.kernel,
    initrd: machine.initrd,
    commandLine: machine.commandLine,
    extra: [
      ...["-object", JSON.stringify(memory), "-object", JSON.stringify(guest)],
      ...["-bios", machine.firmware],
    ],
  });
}

/** Throws `backend/unavailable` on a machine that cannot run SNP guests, saying what it lacks. */
export function openSnpBackend(source: ImageSource): Backend {
  if (!existsSync(SNP_DEVICE))
    throw unavailable("snp", `there is no ${SNP_DEVICE}: no AMD processor with SEV-SNP turned on`);
  const { image, ...options } = findHardwareParts("snp", source);
  return createSnpBackend(image, options);
}

export function createSnpBackend(image: HardwareImage, options: HardwareOptions): Backend {
  return {
    name: "snp",
    protects: true,
    start(backendOptions) {
      const args = encodeSnpArguments({
        ...options,
        kernel: image.kernel,
        initrd: image.initrdCompressed,
        commandLine: readCommandLine(image),
        hostData: decodeHex(image.digest),
      });
      const { qemu, firmware } = options;
      const start = {
        tee: "snp",
        qemu,
        args,
        files: [firmware],
        devices: [SNP_DEVICE],
        describes: "AMD SEV-SNP (not yet run on hardware)",
      } as const;
      return startHardwareKeep(image, start, backendOptions);
    },
  };
}
