/** What AMD says in a VCEK or VLEK certificate and in TCB_VERSION, written by hand from AMD 57230 and 56860. */
import type { AmdProductName } from "@donjon/attest/snp";
import type { SnpTcb } from "../simulated-tcb.ts";

/** Family, model and stepping of a processor of each product. */
export const CPUID: Readonly<Record<AmdProductName, readonly [number, number, number]>> = {
  Milan: [0x19, 0x01, 0x01],
  Genoa: [0x19, 0x11, 0x01],
  Turin: [0x1a, 0x02, 0x01],
};

/** Octets of HWID. */
export function hwidBytes(product: AmdProductName): number {
  return product === "Turin" ? 8 : 64;
}

/** TCB_VERSION, 8 octets. */
export function encodeTcbVersion(product: AmdProductName, tcb: SnpTcb): Uint8Array {
  return product === "Turin"
    ? new Uint8Array([tcb.fmc ?? 0, tcb.bootloader, tcb.tee, tcb.snp, 0, 0, 0, tcb.microcode])
    : new Uint8Array([tcb.bootloader, tcb.tee, 0, 0, 0, 0, tcb.snp, tcb.microcode]);
}

export interface LeafFacts {
  readonly product: AmdProductName;
  readonly tcb: SnpTcb;
  /** VCEK only. */
  readonly hwid?: Uint8Array | undefined;
  /** VLEK only. */
  readonly cspId?: string | undefined;
  /** Instead of the product's. */
  readonly structVersion?: number | undefined;
  readonly productName?: string | undefined;
}

const BASE = "1.3.6.1.4.1.3704.1";

/** Dotted OIDs and raw values. */
export function encodeLeafExtensions(
  facts: LeafFacts,
): (readonly [oid: string, value: Uint8Array])[] {
  const { product, tcb, hwid, cspId } = facts;
  const turin = product === "Turin";
  const stepping = product === "Milan" && hwid !== undefined ? "-B0" : "";
  const list: (readonly [string, Uint8Array])[] = [
    [`${BASE}.1`, derInteger(facts.structVersion ?? (turin ? 1 : 0))],
    [`${BASE}.2`, derIa5(facts.productName ?? `${product}${stepping}`)],
    [`${BASE}.3.1`, derInteger(tcb.bootloader)],
    [`${BASE}.3.2`, derInteger(tcb.tee)],
    [`${BASE}.3.3`, derInteger(tcb.snp)],
    [`${BASE}.3.8`, derInteger(tcb.microcode)],
  ];
  if (turin) list.push([`${BASE}.3.9`, derInteger(tcb.fmc ?? 0)]);
  if (hwid !== undefined) list.push([`${BASE}.4`, hwid]);
  if (cspId !== undefined) list.push([`${BASE}.5`, derIa5(cspId)]);
  return list;
}

function derInteger(value: number): Uint8Array {
  return value > 127 ? new Uint8Array([2, 2, 0, value]) : new Uint8Array([2, 1, value]);
}

function derIa5(text: string): Uint8Array {
  return new Uint8Array([0x16, text.length, ...Buffer.from(text, "latin1")]);
}
