/** The Keep's key pair and its self-made certificate (DESIGN, section 5). The key never leaves the Keep. */
import { generateKeyPairSync, hash, randomBytes, sign, X509Certificate } from "node:crypto";
import { createSelfSigned } from "@donjon/core/self-signed";

export interface KeepIdentity {
  readonly keyPem: string;
  readonly certificatePem: string;
  readonly certificateDer: Uint8Array;
  /** SHA-256 of the SubjectPublicKeyInfo: what evidence speaks for. */
  readonly digest: Uint8Array;
}

/** A fresh P-256 key and a certificate for `localhost` over it, valid for a year. */
export function createIdentity(nowMs: number): KeepIdentity {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const spki = publicKey.export({ type: "spki", format: "der" });
  const certificateDer = createSelfSigned({
    commonName: "Donjon Keep",
    spki,
    serial: randomBytes(16),
    nowMs,
    sign: (signed) => sign("sha256", signed, privateKey),
  });
  return {
    keyPem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    certificatePem: new X509Certificate(certificateDer).toString(),
    certificateDer,
    digest: hash("sha256", spki, "buffer"),
  };
}
