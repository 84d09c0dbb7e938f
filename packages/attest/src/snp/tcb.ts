/** TCB_VERSION: eight octets whose meaning depends on the product. Source: AMD 56860, TCB_VERSION. */
import type { TcbForm } from "../trust/amd.ts";

/** Security versions by component. Compared one by one, never as one integer. */
export interface Tcb {
  /** Firmware of the secure processor's first mutable code; Turin and later. */
  readonly fmc: number | null;
  readonly bootloader: number;
  readonly tee: number;
  readonly snp: number;
  readonly microcode: number;
}

export const TCB_COMPONENTS = ["fmc", "bootloader", "tee", "snp", "microcode"] as const;

/** Octet of each component; the other octets are reserved. */
const POSITIONS: Readonly<Record<TcbForm, Readonly<Partial<Record<keyof Tcb, number>>>>> = {
  0: { bootloader: 0, tee: 1, snp: 6, microcode: 7 },
  1: { fmc: 0, bootloader: 1, tee: 2, snp: 3, microcode: 7 },
};

export function decodeTcb(form: TcbForm, bytes: Uint8Array): Tcb {
  const at = (name: keyof Tcb): number => bytes[POSITIONS[form][name] ?? 8] ?? 0;
  return {
    fmc: form === 1 ? at("fmc") : null,
    bootloader: at("bootloader"),
    tee: at("tee"),
    snp: at("snp"),
    microcode: at("microcode"),
  };
}

export function encodeTcb(form: TcbForm, tcb: Tcb): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8);
  for (const name of TCB_COMPONENTS) {
    const at = POSITIONS[form][name];
    if (at !== undefined) bytes[at] = tcb[name] ?? 0;
  }
  return bytes;
}

export function formatTcb(tcb: Tcb): string {
  return TCB_COMPONENTS.filter((name) => tcb[name] !== null)
    .map((name) => `${name} ${tcb[name]}`)
    .join(", ");
}
