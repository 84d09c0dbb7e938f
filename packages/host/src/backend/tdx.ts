/**
 * The backend `tdx`: the Keep is a virtual machine that Intel TDX protects; QEMU 10.1 or newer. Not yet run on hardware:
 * the command line is held against QEMU's own list of options.
 */
import { existsSync, readFileSync } from "node:fs";
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

/** `Y` where KVM may start TDs. */
export const TDX_PARAMETER = "/sys/module/kvm_intel/parameters/tdx";

/** Where Intel's quote generation service listens: a socket of its package, else the port it has on the host. */
export const QUOTE_SOCKET = "/var/run/tdx-qgs/qgs.socket";
const QUOTE_VSOCK = { type: "vsock", cid: "2", port: "4050" } as const;

/** QEMU's `SocketAddress`. */
export type QuoteService =
  | { readonly type: "unix"; readonly path: string }
  | { readonly type: "vsock"; readonly cid: string; readonly port: string };

export interface TdxMachine extends HardwareOptions {
  readonly kernel: string;
  readonly initrd: string;
  readonly commandLine: string;
  /** 48 octets that evidence repeats; the host chooses them, so they prove nothing by themselves. */
  readonly mrConfigId: Uint8Array;
  readonly quoteService: QuoteService;
  readonly vcpus?: number;
}

const MR_CONFIG_ID_BYTES = 48;

/** The arguments after the program's name. Throws RangeError for a configuration id of another length. */
export function encodeTdxArguments(machine: TdxMachine): string[] {
  const { vcpus = 1, memoryMib = HARDWARE_MEMORY_MIB } = machine;
  if (machine.mrConfigId.length !== MR_CONFIG_ID_BYTES)
    throw new RangeError(`mrConfigId has ${MR_CONFIG_ID_BYTES} octets`);
  const guest = {
    "qom-type": "tdx-guest",
    id: "tdx",
    // Without this the host could interrupt the guest at every access to memory.
    "sept-ve-disable": true,
    mrconfigid: Buffer.from(machine.mrConfigId).toString("base64"),
    "quote-generation-socket": machine.quoteService,
  };
  return encodeQemuArguments({
    machine: "q35,confidential-guest-support=tdx,kernel-irqchip=split,hpet=off,smm=off,vmport=off",
    accelerator: "kvm",
    // What a TD sees of the processor is the TDX module's to say.
    cpu: "host",
    vcpus,
    memoryMib,
    kernel: machine.kernel,
    initrd: machine.initrd,
    commandLine: machine.commandLine,
    extra: ["-object", JSON.stringify(guest), "-bios", machine.firmware],
  });
}

/** Throws `backend/unavailable` on a machine that cannot run TDs, saying what it lacks. */
export function openTdxBackend(source: ImageSource): Backend {
  if (!isTdxOn())
    throw unavailable("tdx", `${TDX_PARAMETER} does not say Y: no Intel TDX, or it is turned off`);
  const { image, ...options } = findHardwareParts("tdx", source);
  return createTdxBackend(image, options);
}

export function createTdxBackend(image: HardwareImage, options: HardwareOptions): Backend {
  return {
    name: "tdx",
    protects: true,
    start(backendOptions) {
      const mrConfigId = new Uint8Array(MR_CONFIG_ID_BYTES);
      mrConfigId.set(decodeHex(image.digest));
      const bySocket = existsSync(QUOTE_SOCKET);
      const args = encodeTdxArguments({
        ...options,
        kernel: image.kernel,
        initrd: image.initrdCompressed,
        commandLine: readCommandLine(image),
        mrConfigId,
        quoteService: bySocket ? { type: "unix", path: QUOTE_SOCKET } : QUOTE_VSOCK,
      });
      const start = {
        tee: "tdx",
        qemu: options.qemu,
        args,
        files: bySocket ? [options.firmware, QUOTE_SOCKET] : [options.firmware],
        devices: [],
        describes: "Intel TDX (not yet run on hardware)",
      } as const;
      return startHardwareKeep(image, start, backendOptions);
    },
  };
}

function isTdxOn(): boolean {
  try {
    return /^[Y1]/.test(readFileSync(TDX_PARAMETER, "utf8"));
  } catch {
    return false;
  }
}
