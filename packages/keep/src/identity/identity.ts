/** The Keep's key pair and its self-made certificate (DESIGN, section 5). The key never leaves the Keep. */
import {
  createPublicKey,
  generateKeyPairSync,
  hash,
  type KeyObject,
  randomBytes,
  sign,
} from "node:crypto";
import { encodePem } from "@donjon/core/pem-encode";
import { createSelfSigned, type SelfSignedOptions } from "@donjon/core/self-signed";

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
  const certificateDer = certifyKey(privateKey, nowMs);
  return {
    keyPem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    certificatePem: encodePem("CERTIFICATE", certificateDer),
    certificateDer,
    digest: hash("sha256", spki, "buffer"),
  };
}

/** A certificate that the Keep makes of its own key. DER. */
export function certifyKey(
  key: KeyObject | string,
  nowMs: number,
  more: Pick<SelfSignedOptions, "names" | "cmw"> = {},
): Uint8Array {
  return createSelfSigned({
    commonName: "Donjon Keep",
    spki: createPublicKey(key).export({ type: "spki", format: "der" }),
    serial: randomBytes(16),
    nowMs,
    sign: (signed) => sign("sha256", signed, key),
    ...more,
  });
}
