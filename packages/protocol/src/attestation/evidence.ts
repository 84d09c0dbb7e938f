/**
 * How a Keep's evidence travels: a CMW collection in CBOR (RFC 9999) of binding, evidence and what the platform gave with it.
 * Only the writing is here; readers use a whole CMW parser.
 */
import { BINDING_TYPE } from "./binding.ts";

/** Media types of evidence; the contents are the platform's own bytes, unchanged. */
export const EVIDENCE_TYPES = {
  snp: "application/vnd.donjon.snp-report",
  tdx: "application/vnd.donjon.tdx-quote",
  sgx: "application/vnd.donjon.sgx-quote",
} as const;
export type EvidenceTee = keyof typeof EVIDENCE_TYPES;
/** The host's certificate table (GHCB specification), as configfs-tsm gives it in `auxblob`. */
export const AUXILIARY_TYPE = "application/vnd.donjon.snp-certificate-table";

/** Labels of the collection's members. */
export const CMW_MEMBERS = {
  binding: "binding",
  evidence: "evidence",
  auxiliary: "auxiliary",
} as const;

/** Bits of `ind` (RFC 9999). */
const INDICATES_ENDORSEMENTS = 2;
const INDICATES_EVIDENCE = 4;

/** Evidence as a platform gives it. */
export interface PlatformEvidence {
  readonly tee: EvidenceTee;
  readonly evidence: Uint8Array;
  /** SNP: the certificate table; empty where there is none. */
  readonly auxiliary: Uint8Array;
}

/** Deterministic CBOR; `binding` as `encodeBinding` made it. */
export function encodeEvidence(binding: Uint8Array, platform: PlatformEvidence): Uint8Array {
  const members = [
    ...text(CMW_MEMBERS.binding),
    ...record(BINDING_TYPE, binding, null),
    ...text(CMW_MEMBERS.evidence),
    ...record(EVIDENCE_TYPES[platform.tee], platform.evidence, INDICATES_EVIDENCE),
  ];
  let count = 2;
  if (platform.auxiliary.length > 0) {
    members.push(
      ...text(CMW_MEMBERS.auxiliary),
      ...record(AUXILIARY_TYPE, platform.auxiliary, INDICATES_ENDORSEMENTS),
    );
    count += 1;
  }
  return join([head(MAJOR.map, count), ...members]);
}

const MAJOR = { unsigned: 0, bytes: 2, text: 3, array: 4, map: 5 } as const;

/** RFC 8949, section 3: the shortest form. */
function head(major: number, value: number): Uint8Array {
  const type = major << 5;
  if (value < 24) return Uint8Array.of(type | value);
  if (value < 1 << 8) return Uint8Array.of(type | 24, value);
  if (value < 1 << 16) return Uint8Array.of(type | 25, value >> 8, value & 0xff);
  return Uint8Array.of(type | 26, value >>> 24, value >> 16, value >> 8, value);
}

function text(value: string): Uint8Array[] {
  const bytes = new TextEncoder().encode(value);
  return [head(MAJOR.text, bytes.length), bytes];
}

function record(type: string, value: Uint8Array, indicator: number | null): Uint8Array[] {
  return [
    head(MAJOR.array, indicator === null ? 2 : 3),
    ...text(type),
    head(MAJOR.bytes, value.length),
    value,
    ...(indicator === null ? [] : [head(MAJOR.unsigned, indicator)]),
  ];
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
