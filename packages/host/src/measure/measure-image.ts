/** Reference values of a built Keep image: what evidence of a Keep that runs it has to say, on a given firmware and machine. */
import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { DonjonError } from "@donjon/core/errors";
import { encodeHex } from "@donjon/core/hex";
import { explainSystemError } from "@donjon/core/system-error";
import type { KeepImageFiles } from "../image/find.ts";
import { CPU_SIGNATURES } from "./cpu-signature.ts";
import { MAX_FIRMWARE_BYTES } from "./firmware.ts";
import type { MeasuredFile, ReferenceValues } from "./reference-values.ts";
import { measureSnp, SNP_ACTIVE } from "./snp.ts";
import { measureTdx, TDX_ASSUMPTIONS } from "./tdx.ts";

/** The initrd of an image has about 40 MB. */
const MAX_BOOT_FILE_BYTES = 1 << 30;
const MAX_COMMAND_LINE_BYTES = 2047;

export interface ImageMeasurement {
  readonly tee: "snp" | "tdx";
  readonly image: Pick<KeepImageFiles, "kernel" | "initrdCompressed" | "cmdline" | "digest">;
  /** Path of the firmware. */
  readonly firmware: string;
  /** Model of QEMU's `-cpu`; SNP only, whose launch digest covers it. */
  readonly cpu: string;
  /** SNP only. */
  readonly vcpus: number;
}

/** @throws DonjonError `files/read`, `files/limit`, `measure/firmware`, `measure/unsupported`; RangeError for `vcpus` */
export function measureImage({ tee, image, ...machine }: ImageMeasurement): ReferenceValues {
  const firmware = readInput(machine.firmware, MAX_FIRMWARE_BYTES);
  const kernel = readInput(image.kernel, MAX_BOOT_FILE_BYTES);
  const initrd = readInput(image.initrdCompressed, MAX_BOOT_FILE_BYTES);
  const { bytes: line } = readInput(image.cmdline, MAX_COMMAND_LINE_BYTES);
  const append = Buffer.from(line).toString("utf8");
  const common = {
    imageDigest: image.digest,
    commandLine: append,
    files: { firmware: firmware.file, kernel: kernel.file, initrd: initrd.file },
  };
  const inputs = { firmware: firmware.bytes, kernel: kernel.bytes, initrd: initrd.bytes, append };
  if (tee === "snp") {
    const { cpu, vcpus } = machine;
    const measurement = encodeHex(measureSnp({ ...inputs, cpu, vcpus }));
    const signature = CPU_SIGNATURES.get(cpu)!;
    return {
      ...common,
      tee,
      policy: { measurement: [measurement] },
      machine: [
        `cpu ${cpu} (CPUID signature 0x${signature.toString(16)}), vcpus ${vcpus}`,
        `QEMU, SEV_FEATURES 0x${SNP_ACTIVE.toString(16)} (KVM of Linux 6.8 or newer)`,
      ],
      assumptions: ["not yet compared with SEV-SNP hardware"],
    };
  }
  const { mrTd, rtmr1, rtmr2, rtmr3 } = measureTdx(inputs);
  return {
    ...common,
    tee,
    policy: {
      mr_td: [encodeHex(mrTd)],
      rtmr1: [encodeHex(rtmr1!)],
      rtmr2: [encodeHex(rtmr2!)],
      rtmr3: [encodeHex(rtmr3)],
    },
    machine: ["QEMU; MRTD and RTMR1 to 3 do not depend on processor, vcpus and memory"],
    assumptions: TDX_ASSUMPTIONS,
  };
}

interface Input {
  readonly bytes: Uint8Array;
  readonly file: MeasuredFile;
}

/** Its size is checked before it is read. */
function readInput(path: string, maxBytes: number): Input {
  let descriptor: number | null = null;
  try {
    descriptor = openSync(path, "r");
    const { size } = fstatSync(descriptor);
    if (size > maxBytes) {
      throw new DonjonError(
        "files/limit",
        `'${path}' has ${size} octets, wanted at most ${maxBytes}`,
      );
    }
    const bytes = new Uint8Array(readFileSync(descriptor));
    return { bytes, file: { path, sha256: createHash("sha256").update(bytes).digest("hex") } };
  } catch (cause) {
    if (cause instanceof DonjonError) throw cause;
    const message = `'${path}' cannot be read: ${explainSystemError(cause)}`;
    throw new DonjonError("files/read", message, { cause });
  } finally {
    if (descriptor !== null) closeSync(descriptor);
  }
}
