/**
 * Evidence in an X.509 certificate, in the form that SGX and TDX stacks agreed on: the extension holds a quote and
 * claims, the quote signs the claims' digest, the claims hold the digest of the certificate's key.
 * Source: CCC Attestation SIG, "Interoperable RA-TLS"; TCG DICE OID tcg-dice-conceptual-message-wrapper.
 */
import { equalBytes } from "@donjon/core/bytes";
import { encodeHex } from "@donjon/core/hex";
import type { Certificate } from "@donjon/core/x509";
import { AttestError } from "../attest-error.ts";
import { decodeCbor, Tagged } from "./cbor.ts";
import { envelopeError } from "./envelope-error.ts";

export const RA_TLS_OID = "2.23.133.5.4.9";

/** CBOR tags of the extension's value: what kind of evidence the first item is. */
const EVIDENCE_TAGS: Readonly<Record<number, RaTlsEvidence["form"]>> = {
  60000: "quote",
  60001: "report",
  60002: "legacy-report",
};

/** Named Information Hash Algorithm Registry (IANA), as in `pubkey-hash`. */
const HASHES: Readonly<Record<number, string>> = { 1: "SHA-256", 7: "SHA-384", 8: "SHA-512" };

export interface RaTlsEvidence {
  readonly form: "quote" | "report" | "legacy-report";
  readonly evidence: Uint8Array;
  /** CBOR, exactly as digested by the evidence's report data. */
  readonly claims: Uint8Array;
  readonly keyHash: { readonly algorithm: string; readonly digest: Uint8Array };
  readonly nonce: Uint8Array | undefined;
}

/**
 * The evidence in a certificate; undefined when it has none. Proves nothing: verify the evidence, then ask
 * `verifyRaTlsBinding`.
 * @throws AttestError `evidence/malformed`: `envelope/malformed`
 */
export function readRaTlsExtension(certificate: Certificate): RaTlsEvidence | undefined {
  const extension = certificate.extensions.get(RA_TLS_OID);
  if (extension === undefined) return undefined;
  const tagged = decodeCbor(extension.value, "RA-TLS extension");
  const form = tagged instanceof Tagged ? EVIDENCE_TAGS[tagged.tag] : undefined;
  if (!(tagged instanceof Tagged) || form === undefined) {
    throw envelopeError("RA-TLS extension", "another value", "CBOR tag 60000, 60001 or 60002");
  }
  const items = Array.isArray(tagged.value) ? tagged.value : [];
  const [evidence, claims] = items;
  if (items.length !== 2 || !(evidence instanceof Uint8Array) || !(claims instanceof Uint8Array)) {
    throw envelopeError(
      "RA-TLS extension",
      `${items.length} items`,
      "evidence and claims, two byte strings",
    );
  }
  return { form, evidence, claims, ...readClaims(claims) };
}

/**
 * That the evidence speaks for the certificate's key: report data starts with the digest of the claims and ends in
 * zeros, and the claims hold the digest of the key.
 *
 * @param reportData 64 octets, from verified claims
 * @throws AttestError `evidence/refused`, reason `envelope/binding`
 */
export async function verifyRaTlsBinding(
  envelope: RaTlsEvidence,
  certificate: Certificate,
  reportData: Uint8Array,
): Promise<void> {
  const claims = new Uint8Array(64);
  claims.set(await digest("SHA-256", envelope.claims));
  if (!equalBytes(claims, reportData)) throw unbound("report data", reportData, claims);
  const { algorithm, digest: wanted } = envelope.keyHash;
  const found = await digest(algorithm, certificate.publicKey.encoding);
  if (!equalBytes(wanted, found)) throw unbound("the certificate's key", found, wanted);
}

function readClaims(bytes: Uint8Array): Pick<RaTlsEvidence, "keyHash" | "nonce"> {
  const claims = decodeCbor(bytes, "RA-TLS claims");
  const hash = claims instanceof Map ? claims.get("pubkey-hash") : undefined;
  const nonce = claims instanceof Map ? claims.get("nonce") : undefined;
  if (!(hash instanceof Uint8Array) || !(nonce === undefined || nonce instanceof Uint8Array)) {
    throw envelopeError("RA-TLS claims", "other claims", "a map with a byte string `pubkey-hash`");
  }
  const pair = decodeCbor(hash, "RA-TLS pubkey-hash");
  const [id, value] = Array.isArray(pair) && pair.length === 2 ? pair : [];
  const algorithm = typeof id === "number" ? HASHES[id] : undefined;
  if (algorithm === undefined || !(value instanceof Uint8Array)) {
    throw envelopeError("RA-TLS pubkey-hash", "another value", "[1, 7 or 8, digest]");
  }
  return { keyHash: { algorithm, digest: value }, nonce };
}

async function digest(algorithm: string, bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest(algorithm, new Uint8Array(bytes)));
}

function unbound(what: string, found: Uint8Array, wanted: Uint8Array): AttestError {
  return new AttestError(
    "evidence/refused",
    "envelope/binding",
    `Cannot accept the certificate: found ${what} ${encodeHex(found)}, wanted ${encodeHex(wanted)}`,
  );
}
