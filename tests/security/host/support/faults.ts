/** Faults on whole units of a byte stream: TLS records, or frames of the gate. */
import type { Tamper } from "./tampered.ts";

export interface Unit {
  readonly header: number;
  /** Octets of the whole unit, from its header. */
  sizeOf(header: Buffer): number;
}

/** RFC 8446, section 5.1. */
export const TLS_RECORD: Unit = { header: 5, sizeOf: (header) => 5 + header.readUInt16BE(3) };
/** Protocol README, the gate. */
export const GATE_FRAME: Unit = { header: 12, sizeOf: (header) => 12 + header.readUInt32BE(8) };

export const FAULTS = ["drop", "duplicate", "reorder", "truncate", "flip"] as const;
export type Fault = (typeof FAULTS)[number];

/** Cuts what passes into units, and passes on what `change` makes of each; `change` is told which it is, from 0. */
export function changeUnits(
  { header, sizeOf }: Unit,
  change: (unit: Buffer, index: number) => readonly Uint8Array[],
): Tamper {
  let rest: Buffer = Buffer.alloc(0);
  let index = 0;
  return (piece) => {
    rest = Buffer.concat([rest, piece]);
    const out: Uint8Array[] = [];
    while (rest.length >= header && rest.length >= sizeOf(rest)) {
      const size = sizeOf(rest);
      out.push(...change(rest.subarray(0, size), index));
      index += 1;
      rest = rest.subarray(size);
    }
    return out;
  };
}

/** One fault on the unit `at`; `onTruncated`: the rest is to be cut off. */
export function injectFault(unit: Unit, at: number, fault: Fault, onTruncated: () => void): Tamper {
  let held: Buffer | null = null;
  let cut = false;
  return changeUnits(unit, (each, index) => {
    if (cut) return [];
    if (held !== null) {
      const earlier = held;
      held = null;
      return [each, earlier];
    }
    if (index !== at) return [each];
    if (fault === "drop") return [];
    if (fault === "duplicate") return [each, each];
    if (fault === "flip") return [flipBit(each, each.length - 1, 0)];
    if (fault === "reorder") {
      held = Buffer.from(each);
      return [];
    }
    cut = true;
    setImmediate(onTruncated);
    return [each.subarray(0, each.length >> 1)];
  });
}

export function flipBit(bytes: Uint8Array, at: number, bit: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[at]! ^= 1 << bit;
  return copy;
}
