/** Keys as WebCrypto knows them; private ones travel as PKCS #8. */
import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { DonjonError } from "@donjon/core/errors";

export interface KeyPair {
  readonly publicKey: CryptoKey;
  readonly privateKey: CryptoKey;
}

/** What keys are for. AMD's authorities have 4096 bits; making such keys takes seconds, and here they protect nothing. */
const ALGORITHMS = {
  "rsa-pss": {
    name: "RSA-PSS",
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
    hash: "SHA-384",
  },
  "P-256": { name: "ECDSA", namedCurve: "P-256" },
  "P-384": { name: "ECDSA", namedCurve: "P-384" },
} as const;

/** What `node:crypto` calls them. */
const NODE_NAMES = { "rsa-pss": "rsa", "P-256": "prime256v1", "P-384": "secp384r1" } as const;

export type KeyKind = keyof typeof ALGORITHMS;

export async function makeKeyPair(kind: KeyKind): Promise<KeyPair> {
  return crypto.subtle.generateKey(ALGORITHMS[kind], true, ["sign", "verify"]);
}

/** PKCS #8, DER. */
export async function encodeKeyPair({ privateKey }: KeyPair): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.exportKey("pkcs8", privateKey));
}

/**
 * A key for `node:crypto`, which signs without loading WebCrypto.
 *
 * @param pkcs8 DER
 * @throws DonjonError `bytes/invalid` when it is no key of this kind
 */
export function readPrivateKey(kind: KeyKind, pkcs8: Uint8Array): KeyObject {
  const wanted = (cause?: unknown) => {
    const message = `found ${pkcs8.length} octets, wanted a private ${kind} key in PKCS #8`;
    return new DonjonError("bytes/invalid", message, { cause });
  };
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: Buffer.from(pkcs8), format: "der", type: "pkcs8" });
  } catch (cause) {
    throw wanted(cause);
  }
  const found = key.asymmetricKeyDetails?.namedCurve ?? key.asymmetricKeyType;
  if (found !== NODE_NAMES[kind]) throw wanted();
  return key;
}

/** As `readPrivateKey`, for what issues certificates. */
export async function importKeyPair(kind: KeyKind, pkcs8: Uint8Array): Promise<KeyPair> {
  const spki = encodePublicKey(readPrivateKey(kind, pkcs8));
  const algorithm = ALGORITHMS[kind];
  const [privateKey, publicKey] = await Promise.all([
    crypto.subtle.importKey("pkcs8", new Uint8Array(pkcs8), algorithm, false, ["sign"]),
    crypto.subtle.importKey("spki", spki, algorithm, true, ["verify"]),
  ]);
  return { privateKey, publicKey };
}

/** SubjectPublicKeyInfo, DER. */
export function encodePublicKey(key: KeyObject): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createPublicKey(key).export({ format: "der", type: "spki" }));
}
