/** What the backends `snp` and `tdx` share: firmware to start with, a built image, QEMU, and a Keep that only hardware measures. */
import { existsSync, readFileSync } from "node:fs";
import { DonjonError } from "@donjon/core/errors";
import { type ImageSource, type KeepImageFiles, searchImage } from "../image/find.ts";
import type { BackendOptions, StartedKeep } from "./backend.ts";
import { findConfinement } from "./qemu/confine.ts";
import { findQemu } from "./qemu/find.ts";
import { KVM_DEVICE } from "./qemu/probe-kvm.ts";
import { startQemu } from "./qemu/start.ts";

export type HardwareTee = "snp" | "tdx";

/** The parts of a built image that firmware boots: the kernel as a bzImage, which is what is measured, and the small initrd. */
export type HardwareImage = Pick<
  KeepImageFiles,
  "kernel" | "initrdCompressed" | "cmdline" | "digest"
>;

export interface HardwareOptions {
  /** Absolute path of the program. */
  readonly qemu: string;
  /** Absolute path of the firmware: `FIRMWARE_PATHS` has where distributions put it. */
  readonly firmware: string;
  /** Of the guest; taken from this machine as it is used. */
  readonly memoryMib?: number;
}

export const HARDWARE_MEMORY_MIB = 2048;

/**
 * Where distributions put firmware that starts a kernel given to QEMU. Debian's `OVMF.inteltdx.ms.fd` is not among them: it has
 * secure boot on with Microsoft's keys, which no kernel of an image is signed by.
 */
export const FIRMWARE_PATHS: Readonly<Record<HardwareTee, readonly string[]>> = {
  snp: [
    "/usr/share/ovmf/OVMF.amdsev.fd",
    "/usr/share/OVMF/OVMF.amdsev.fd",
    "/usr/share/edk2/ovmf/OVMF.amdsev.fd",
  ],
  tdx: [
    "/usr/share/ovmf/OVMF.inteltdx.fd",
    "/usr/share/OVMF/OVMF.inteltdx.fd",
    "/usr/share/edk2/ovmf/OVMF.inteltdx.fd",
  ],
};

/** The first of `FIRMWARE_PATHS` that is there. */
export function findFirmware(tee: HardwareTee, exists = existsSync): string | null {
  return FIRMWARE_PATHS[tee].find((path) => exists(path)) ?? null;
}

export interface HardwareParts {
  readonly image: KeepImageFiles;
  readonly qemu: string;
  readonly firmware: string;
}

/** What a machine with the hardware still needs. Throws `backend/unavailable`, saying what to install or build. */
export function findHardwareParts(tee: HardwareTee, source: ImageSource): HardwareParts {
  const qemu = findQemu();
  if (qemu === null) throw unavailable(tee, "QEMU is not installed (package qemu-system-x86)");
  const firmware = findFirmware(tee);
  if (firmware === null)
    throw unavailable(tee, `none of ${FIRMWARE_PATHS[tee].join(", ")} is there`);
  const found = searchImage(source);
  if (found.image === null) throw unavailable(tee, `${found.why}; 'donjon image build' builds one`);
  return { image: found.image, qemu, firmware };
}

export function unavailable(tee: HardwareTee, why: string): DonjonError {
  return new DonjonError(
    "backend/unavailable",
    `the backend '${tee}' cannot run here: ${why}; 'donjon platform' says what this machine offers`,
    { details: { backend: tee } },
  );
}

export interface HardwareStart {
  readonly tee: HardwareTee;
  readonly qemu: string;
  readonly args: readonly string[];
  /** Files that QEMU reads, besides the image's. */
  readonly files: readonly string[];
  readonly devices: readonly string[];
  /** For the summary. */
  readonly describes: string;
}

/** Returns at once; a machine that cannot start shows in `ended` and as the end of its pipes. */
export function startHardwareKeep(
  image: HardwareImage,
  start: HardwareStart,
  { onConsole }: BackendOptions,
): StartedKeep {
  const confinement = findConfinement();
  const command = confinement.wrap(
    [start.qemu, ...start.args],
    [image.kernel, image.initrdCompressed, ...start.files],
    [KVM_DEVICE, ...start.devices],
  );
  return {
    ...startQemu(command, onConsole),
    sandbox: `${start.describes}; ${confinement.describes}`,
    image: `built image ${image.digest}`,
    async measure() {
      throw new DonjonError(
        "measure/unsupported",
        `Cannot simulate the measurement of a Keep of the kind '${start.tee}': the hardware measures it, and its evidence says what it found; 'donjon image measure --tee ${start.tee}' computes what to expect`,
      );
    },
  };
}

/** The kernel's command line as the image has it. Throws `files/read`. */
export function readCommandLine(image: HardwareImage): string {
  try {
    return readFileSync(image.cmdline, "utf8");
  } catch (cause) {
    throw new DonjonError("files/read", `Cannot read '${image.cmdline}' of the built image`, {
      cause,
    });
  }
}
