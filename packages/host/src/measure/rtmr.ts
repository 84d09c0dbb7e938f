/**
 * RTMRs 1 to 3 after OVMF has started a kernel that QEMU was given (`-kernel`, `-initrd`, `-append`): the firmware and the
 * kernel's EFI stub extend them event by event (Intel TDX Virtual Firmware Design Guide, section 8; TCG PC Client
 * Platform Firmware Profile 1.06; Linux, drivers/firmware/efi/libstub).
 */
import { hash } from "node:crypto";
import { hashAuthenticode } from "./authenticode.ts";

/** Octets of a register, SHA-384. */
export const RTMR_BYTES = 48;

/**
 * Where OVMF puts `initrd=initrd` in the command line: in front in edk2-stable202511 and newer, behind it in
 * edk2-stable202502 and older.
 */
export const INITRD_PLACES = ["front", "back"] as const;
export type InitrdPlace = (typeof INITRD_PLACES)[number];

/** Texts that OVMF measures as they are. */
const CALLING = "Calling EFI Application from Boot Option";
const EXITING = "Exit Boot Services Invocation";
const EXITED = "Exit Boot Services Returned with Success";
const SEPARATOR = new Uint8Array(4);

/** The register after `events`, each the SHA-384 of what was measured; all zero before the first. */
export function replayRtmr(events: readonly Uint8Array[]): Uint8Array {
  return events.reduce((value, event) => {
    const both = new Uint8Array(2 * RTMR_BYTES);
    both.set(value);
    both.set(event, RTMR_BYTES);
    return sha384(both);
  }, new Uint8Array(RTMR_BYTES));
}

/** RTMR1: the kernel, as a PE image, and the firmware handing over. */
export function measureRtmr1(kernel: Uint8Array): Uint8Array {
  const text = (value: string) => sha384(new TextEncoder().encode(value));
  return replayRtmr([
    hashAuthenticode(kernel),
    text(CALLING),
    sha384(SEPARATOR),
    text(EXITING),
    text(EXITED),
  ]);
}

/** RTMR2: command line and initrd, which the kernel's EFI stub measures. `append` is ASCII and not empty. */
export function measureRtmr2(
  append: string,
  initrd: Uint8Array,
  initrdPlace: InitrdPlace,
): Uint8Array {
  const line = initrdPlace === "front" ? `initrd=initrd ${append}` : `${append} initrd=initrd`;
  return replayRtmr([sha384(encodeLoadOptions(line)), sha384(initrd)]);
}

/** UTF-16, little-endian, with a NUL at the end. */
function encodeLoadOptions(line: string): Uint8Array {
  return new Uint8Array(Uint16Array.from(`${line}\0`, (c) => c.charCodeAt(0)).buffer);
}

function sha384(bytes: Uint8Array): Uint8Array {
  return hash("sha384", bytes, "buffer");
}
