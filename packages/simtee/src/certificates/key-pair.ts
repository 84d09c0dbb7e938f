/** Keys as WebCrypto knows them; private ones travel as PKCS #8. */
import { createPrivateKey, createPublicKey } from "node:crypto";
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

export type KeyKind = keyof typeof ALGORITHMS;

export async function makeKeyPair(kind: KeyKind): Promise<KeyPair> {
  return crypto.subtle.generateKey(ALGORITHMS[kind], true, ["sign", "verify"]);
}

/** PKCS #8, DER. */
export async function encodeKeyPair({ privateKey }: KeyPair): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.exportKey("pkcs8", privateKey));
}

/**
 * @param pkcs8 DER
 * @throws DonjonError `bytes/invalid` when it is no key of this kind
 */
export async function importSigningKey(kind: KeyKind, pkcs8: Uint8Array): Promise<CryptoKey> {
  try {
    return await crypto.subtle.importKey("pkcs8", Buffer.from(pkcs8), ALGORITHMS[kind], false, [
      "sign",
    ]);
  } catch (cause) {
    const message = `found ${pkcs8.length} octets, wanted a private ${kind} key in PKCS #8`;
    throw new DonjonError("bytes/invalid", message, { cause });
  }
}

/** As `importSigningKey`, with the public key. */
export async function importKeyPair(kind: KeyKind, pkcs8: Uint8Array): Promise<KeyPair> {
  const privateKey = await importSigningKey(kind, pkcs8);
  const spki = encodePublicKey(pkcs8);
  const publicKey = await crypto.subtle.importKey("spki", spki, ALGORITHMS[kind], true, ["verify"]);
  return { privateKey, publicKey };
}

/** SubjectPublicKeyInfo, DER, of a PKCS #8 key. */
export function encodePublicKey(pkcs8: Uint8Array): Uint8Array<ArrayBuffer> {
  const key = createPrivateKey({ key: Buffer.from(pkcs8), format: "der", type: "pkcs8" });
  return new Uint8Array(createPublicKey(key).export({ format: "der", type: "spki" }));
}
