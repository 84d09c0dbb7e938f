/** Certificates for TLS servers of tests. */
import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { encodePem } from "@donjon/core/pem-encode";
import { createSelfSigned } from "@donjon/core/self-signed";

export interface CertificatePair {
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
}

/** A certificate that nobody vouches for, and its key. */
export function createCertificate(commonName = "Donjon testkit"): CertificatePair {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const der = createSelfSigned({
    commonName,
    spki: publicKey.export({ type: "spki", format: "der" }),
    serial: randomBytes(16),
    nowMs: Date.now(),
    sign: (signed) => sign("sha256", signed, privateKey),
  });
  const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return { certificate: encodePem("CERTIFICATE", der), key };
}
