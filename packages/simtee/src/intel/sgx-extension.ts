/** Writes the SGX extension of a PCK certificate, from Intel's PCK certificate profile, section 1.3.5. */
import { CURRENT_TCB, FMSPC, type SgxTcb } from "../simulated-tcb.ts";

export interface SgxExtensionOptions extends Partial<SgxTcb> {
  readonly fmspc?: Uint8Array;
  readonly pceId?: Uint8Array;
  /** 16 octets each. */
  readonly ppid?: Uint8Array;
  readonly platformInstanceId?: Uint8Array;
  /** Without platform instance and configuration, as for one package. */
  readonly single?: boolean;
  /** Leaves out the member with this last arc. */
  readonly without?: number;
}

/** DER of 1.2.840.113741.1.13.1. */
const BASE = [0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01];

export function encodeSgxExtension(options: SgxExtensionOptions = {}): Uint8Array {
  const { components, pceSvn } = { ...CURRENT_TCB.sgx, ...options };
  const tcb = der(
    0x30,
    ...components.map((svn, index) => member([2, index + 1], derInteger(svn))),
    member([2, 17], derInteger(pceSvn)),
    member([2, 18], der(0x04, Uint8Array.from(components))),
  );
  const flag = (arc: number, value: boolean) =>
    member([7, arc], der(0x01, Uint8Array.of(value ? 0xff : 0)));
  const members: (readonly [number, Uint8Array])[] = [
    [1, der(0x04, options.ppid ?? new Uint8Array(16).fill(0xaa))],
    [2, tcb],
    [3, der(0x04, options.pceId ?? new Uint8Array(2))],
    [4, der(0x04, options.fmspc ?? FMSPC)],
    [5, der(0x0a, Uint8Array.of(1))],
  ];
  if (options.single !== true) {
    members.push([6, der(0x04, options.platformInstanceId ?? new Uint8Array(16).fill(0xbb))]);
    members.push([7, der(0x30, flag(1, true), flag(2, true), flag(3, false))]);
  }
  const kept = members.filter(([arc]) => arc !== options.without);
  return der(0x30, ...kept.map(([arc, value]) => member([arc], value)));
}

function member(arcs: readonly number[], value: Uint8Array): Uint8Array {
  return der(0x30, der(0x06, Uint8Array.from([...BASE, ...arcs])), value);
}

function derInteger(value: number): Uint8Array {
  const bytes = value > 255 ? [value >> 8, value & 0xff] : [value];
  return der(0x02, Uint8Array.from(bytes[0]! > 127 ? [0, ...bytes] : bytes));
}

function der(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const body = contents.flatMap((part) => [...part]);
  const { length } = body;
  const head =
    length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Uint8Array.from([tag, ...head, ...body]);
}
