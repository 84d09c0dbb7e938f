/** The backend `vm`: the Keep is a virtual machine that no hardware protects; with KVM where it works, emulated elsewhere. */
import { readFileSync } from "node:fs";
import { DonjonError } from "@donjon/core/errors";
import { type ImageSource, type KeepImageFiles, searchImage } from "../image/find.ts";
import type { Backend, BackendOptions, Launch, StartedKeep } from "./backend.ts";
import { encodeQemuArguments } from "./qemu/arguments.ts";
import { findConfinement } from "./qemu/confine.ts";
import { findQemu } from "./qemu/find.ts";
import { KVM_DEVICE, probeKvm } from "./qemu/probe-kvm.ts";
import { startQemu } from "./qemu/start.ts";

export type VmAccelerator = "kvm" | "tcg";

export interface VmBackendOptions {
  /** Absolute path of the program. */
  readonly qemu: string;
  readonly accelerator: VmAccelerator;
  /** Of the guest; taken from this machine as it is used. */
  readonly memoryMib?: number;
}

/** The parts of a built image that a machine boots from. */
export type VmImage = Pick<KeepImageFiles, "vmlinux" | "initrd" | "cmdline" | "digest">;

const MEMORY_MIB = 2048;

/** Without the parts of the board that a Keep has no use for. */
export const VM_BOARD = "q35,acpi=off,sata=off,smbus=off,i8042=off,vmport=off,hpet=off";

/** Without the features that say that copying octet by octet is fast: emulated, it is not (docs/decisions/0051). */
export const VM_TCG_CPU = "max,-erms,-fsrm";

const ACCELERATION = {
  kvm: { accelerator: "kvm", cpu: "host", devices: [KVM_DEVICE], describes: "KVM" },
  tcg: {
    accelerator: "tcg,thread=multi",
    cpu: VM_TCG_CPU,
    devices: [],
    describes: "emulated, because KVM does not work here",
  },
} as const;

/** The image, the QEMU and the accelerator of this machine. Throws `backend/unavailable`, saying what to install or build. */
export async function openVmBackend(source: ImageSource): Promise<Backend> {
  const qemu = findQemu();
  if (qemu === null) {
    throw new DonjonError(
      "backend/unavailable",
      "the backend 'vm' needs QEMU, which is not installed; on Debian or Ubuntu: apt-get install qemu-system-x86",
    );
  }
  const found = searchImage(source);
  if (found.image === null) {
    throw new DonjonError(
      "backend/unavailable",
      `the backend 'vm' needs a Keep image, and ${found.why}; 'donjon image build' builds one`,
    );
  }
  const kvm = await probeKvm({ qemu, kernel: found.image.vmlinux });
  return createVmBackend(found.image, { qemu, accelerator: kvm.works ? "kvm" : "tcg" });
}

/** `start` returns at once; a machine that cannot start shows in `ended` and as the end of its pipes. */
export function createVmBackend(image: VmImage, options: VmBackendOptions): Backend {
  return { name: "vm", protects: false, start: (each) => startKeep(image, options, each) };
}

/**
 * The uncompressed forms of kernel and initrd: unpacking them takes the guest longer than reading them takes the host.
 */
function startKeep(
  image: VmImage,
  { qemu, accelerator, memoryMib = MEMORY_MIB }: VmBackendOptions,
  { onConsole }: BackendOptions,
): StartedKeep {
  const acceleration = ACCELERATION[accelerator];
  const confinement = findConfinement();
  const launch = {
    kernel: image.vmlinux,
    initrd: image.initrd,
    commandLine: readFileSync(image.cmdline, "utf8"),
    imageDigest: image.digest,
  };
  const args = encodeQemuArguments({
    ...launch,
    machine: VM_BOARD,
    accelerator: acceleration.accelerator,
    cpu: acceleration.cpu,
    vcpus: 1,
    memoryMib,
  });
  const files = [launch.kernel, launch.initrd];
  const machine = startQemu(
    confinement.wrap([qemu, ...args], files, acceleration.devices),
    onConsole,
  );
  let measured: Promise<Launch> | null = null;
  return {
    ...machine,
    sandbox: `QEMU, ${acceleration.describes}; ${confinement.describes}`,
    image: `built image ${image.digest}`,
    measure() {
      measured ??= import("./qemu/measure.ts").then(({ measureVmLaunch }) =>
        measureVmLaunch(launch),
      );
      return measured;
    },
  };
}
