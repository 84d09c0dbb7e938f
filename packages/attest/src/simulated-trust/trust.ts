/** The public side of a simulated security processor, as plain JSON values: octets are in base64 unless said otherwise. */
import { hashSmall } from "@donjon/core/sha256";
import type { AmdAuthority, AmdProductName } from "../trust/amd.ts";
import type { IntelRoot } from "../trust/intel.ts";

/** First word of every root's common name, so that whatever prints an anchor prints this. */
export const SIMULATED = "SIMULATED";

export interface SimulatedTrust {
  /** Names the machine: SHA-256 over both root keys, hexadecimal. Stays the same when endorsements are renewed. */
  readonly fingerprint: string;
  /** RFC 3339: when revocation lists and TCB info were issued, and when they end to hold. */
  readonly validFrom: string;
  readonly validUntil: string;
  readonly amd: SimulatedAmd;
  readonly intel: SimulatedIntel;
}

export interface SimulatedAmd {
  readonly product: AmdProductName;
  readonly ark: AmdAuthority;
  readonly ask: AmdAuthority;
  /** DER: VCEK, ASK, ARK. */
  readonly certificates: readonly string[];
  /** DER. */
  readonly crls: readonly string[];
}

export interface SimulatedIntel {
  readonly root: IntelRoot;
  /** DER: PCK certificate, its authority, root. */
  readonly pckChain: readonly string[];
  /** DER: signer of TCB info and QE identity, root. */
  readonly signingChain: readonly string[];
  /** DER. */
  readonly rootCrl: string;
  readonly pckCrl: string;
  readonly tcbInfo: SimulatedSignedJson;
  readonly qeIdentity: SimulatedSignedJson;
}

export interface SimulatedSignedJson {
  /** Exactly as signed. */
  readonly text: string;
  /** r and s, 32 octets each. */
  readonly signature: string;
}

/** @param arkSpki, intelSpki SubjectPublicKeyInfo, base64 */
export function fingerprintRoots(arkSpki: string, intelSpki: string): string {
  // Base64 has no line feed, so nothing can be shifted from one key to the other.
  return hashSmall(
    new TextEncoder().encode(`donjon/simulated-roots/1\n${arkSpki}\n${intelSpki}\n`),
  );
}
