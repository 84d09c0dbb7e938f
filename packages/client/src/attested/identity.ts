/** The key by which a Keep knows its owner again: whoever has it may attach to and stop what was deployed with it. */
import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from "node:crypto";
import { encodePem } from "@donjon/core/pem-encode";
import { createSelfSigned } from "@donjon/core/self-signed";

export interface ClientIdentity {
  /** PKCS #8. A secret. */
  readonly keyPem: string;
  readonly certificatePem: string;
  /** SHA-256 of the SubjectPublicKeyInfo: `owner` in a binding. */
  readonly digest: Uint8Array;
}

/** A fresh P-256 key and a certificate over it. Nobody checks the certificate's dates or names. */
export function createClientIdentity(nowMs: number): ClientIdentity {
  return identityOfKey(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey, nowMs);
}

/** The identity of a P-256 key that is kept somewhere; its certificate is made again each time. */
export function identityOfKey(privateKey: KeyObject, nowMs: number): ClientIdentity {
  const spki = createPublicKey(privateKey).export({ type: "spki", format: "der" });
  const certificate = createSelfSigned({
    commonName: "Donjon client",
    spki,
    serial: randomBytes(16),
    nowMs,
    sign: (signed) => sign("sha256", signed, privateKey),
  });
  return {
    keyPem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    certificatePem: encodePem("CERTIFICATE", certificate),
    digest: createHash("sha256").update(spki).digest(),
  };
}
