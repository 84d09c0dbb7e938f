/** A key that claims to belong to somebody else's certificate: OpenSSL compares the public halves and believes it. */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from "node:crypto";

const POINT_BYTES = 65;

/** PKCS #8 of a P-256 key whose public half is that of `publicKey` and whose private half is not. */
export function forgeKey(publicKey: KeyObject): string {
  const point = pointOf(publicKey);
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const der = privateKey.export({ type: "pkcs8", format: "der" });
  const own = pointOf(createPublicKey(privateKey));
  const at = der.indexOf(own);
  if (at === -1) throw new Error("the engine writes private keys without their public half");
  der.set(point, at);
  return createPrivateKey({ key: der, type: "pkcs8", format: "der" })
    .export({ type: "pkcs8", format: "pem" })
    .toString();
}

/** Uncompressed; a SubjectPublicKeyInfo ends with it. */
function pointOf(publicKey: KeyObject): Buffer {
  return publicKey.export({ type: "spki", format: "der" }).subarray(-POINT_BYTES);
}
