/**
 * Object identifiers in dotted form, and the ones this project reads.
 *
 * Source: ITU-T X.690 (02/2021) section 8.19 for the encoding; each constant names its own source.
 */
import { DonjonError } from "./errors.ts";

export const OID = {
  // RFC 5480, RFC 5758
  ecPublicKey: "1.2.840.10045.2.1",
  p256: "1.2.840.10045.3.1.7",
  p384: "1.3.132.0.34",
  ecdsaSha256: "1.2.840.10045.4.3.2",
  ecdsaSha384: "1.2.840.10045.4.3.3",
  // RFC 8017
  rsaEncryption: "1.2.840.113549.1.1.1",
  mgf1: "1.2.840.113549.1.1.8",
  rsassaPss: "1.2.840.113549.1.1.10",
  sha256WithRsa: "1.2.840.113549.1.1.11",
  sha384WithRsa: "1.2.840.113549.1.1.12",
  // RFC 5754
  sha256: "2.16.840.1.101.3.4.2.1",
  sha384: "2.16.840.1.101.3.4.2.2",
  sha512: "2.16.840.1.101.3.4.2.3",
  // RFC 5280
  commonName: "2.5.4.3",
  keyUsage: "2.5.29.15",
  basicConstraints: "2.5.29.19",
  crlNumber: "2.5.29.20",
  crlReason: "2.5.29.21",
  deltaCrlIndicator: "2.5.29.27",
  issuingDistributionPoint: "2.5.29.28",
  authorityKeyIdentifier: "2.5.29.35",
} as const;

/** Largest arc that is exact as a JavaScript number; larger arcs are refused. */
const MAX_ARC = Number.MAX_SAFE_INTEGER;
/** Longest encoding in bytes; the longest OID in attestation certificates takes 13. */
const MAX_OID_BYTES = 64;

/** Reads the contents of an OBJECT IDENTIFIER into dotted form. Throws `bytes/invalid`. */
export function parseOid(contents: Uint8Array): string {
  if (contents.length === 0 || contents.length > MAX_OID_BYTES) {
    throw invalidOid(`it has ${contents.length} bytes, wanted 1 to ${MAX_OID_BYTES}`);
  }
  const arcs: number[] = [];
  let arc = 0;
  let inside = false;
  for (const byte of contents) {
    if (!inside && byte === 0x80) throw invalidOid("an arc starts with a padding byte");
    if (arc > (MAX_ARC - 127) / 128) throw invalidOid("an arc exceeds 53 bits");
    arc = arc * 128 + (byte & 0x7f);
    inside = byte >= 0x80;
    if (inside) continue;
    arcs.push(arc);
    arc = 0;
  }
  if (inside) throw invalidOid("the last arc is cut off");
  const joined = arcs[0]!;
  const first = Math.min(Math.floor(joined / 40), 2);
  return [first, joined - first * 40, ...arcs.slice(1)].join(".");
}

function invalidOid(why: string): DonjonError {
  return new DonjonError("bytes/invalid", `OBJECT IDENTIFIER is not valid DER: ${why}`);
}
