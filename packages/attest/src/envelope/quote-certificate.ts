/**
 * Certificates that hold a bare quote, from before stacks agreed on one form (`ra-tls.ts`). The quote's report data
 * starts with the SHA-256 digest of the certificate's key.
 *
 * Sources: Gramine, `tools/sgx/ra-tls`, "RA-TLS X.509 certificate"; Intel SGX SDK, `tee_get_certificate_with_evidence`.
 */
import { equalBytes } from "@donjon/core/bytes";
import { encodeHex } from "@donjon/core/hex";
import type { Certificate } from "@donjon/core/x509";
import { AttestError } from "../attest-error.ts";

export const QUOTE_OIDS = [
  // Gramine, as its documentation has it.
  "1.2.840.113741.1337.6",
  // Gramine, as it stands in its certificates: it encoded tag and length once more inside the identifier.
  "0.6.9.42.840.113741.1337.6",
  // Intel's SDK; in PCK certificates the same identifier holds the SGX extensions, which no quote can look like.
  "1.2.840.113741.1.13.1",
] as const;

/** DER SEQUENCE: what the third identifier holds in a PCK certificate. */
const SEQUENCE = 0x30;

/** The quote in a certificate; undefined when it has none. Proves nothing: verify it, then ask `verifyQuoteBinding`. */
export function readQuoteExtension(certificate: Certificate): Uint8Array | undefined {
  for (const oid of QUOTE_OIDS) {
    const value = certificate.extensions.get(oid)?.value;
    if (value !== undefined && value[0] !== SEQUENCE) return value;
  }
  return undefined;
}

/**
 * That a quote speaks for the certificate's key: report data is the digest of the key, then zeros.
 *
 * @param reportData 64 octets, from verified claims
 * @throws AttestError `evidence/refused`, reason `envelope/binding`
 */
export function verifyQuoteBinding(
  certificate: Certificate,
  reportData: Uint8Array,
): Promise<void> {
  return requireKeyDigest("SHA-256", certificate.publicKey.encoding, reportData);
}

/** Requires that report data is the digest of a SubjectPublicKeyInfo, then zeros. */
export async function requireKeyDigest(
  algorithm: "SHA-256" | "SHA-384",
  publicKey: Uint8Array,
  reportData: Uint8Array,
): Promise<void> {
  const wanted = new Uint8Array(64);
  wanted.set(new Uint8Array(await crypto.subtle.digest(algorithm, new Uint8Array(publicKey))));
  if (equalBytes(wanted, reportData)) return;
  throw new AttestError(
    "evidence/refused",
    "envelope/binding",
    `Cannot accept the key: found report data ${encodeHex(reportData)}, wanted ${encodeHex(wanted)}`,
  );
}
