/** Revocation lists of any authority here. */
import "reflect-metadata";
import { type Extension, X509CrlGenerator } from "@peculiar/x509";
import { simulatedName } from "./simulated-name.ts";

export interface CrlContents {
  /** Serial numbers, hexadecimal. */
  readonly revoked?: readonly string[];
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
}

/** Parameters of WebCrypto's `sign`. */
export interface SigningAlgorithm {
  readonly name: string;
  readonly hash: string;
  readonly saltLength?: number;
}

export interface CrlSigning {
  /** Common name of the authority. */
  readonly issuer: string;
  readonly key: CryptoKey;
  readonly algorithm: SigningAlgorithm;
  readonly extensions?: Extension[];
}

/** DER. */
export async function createCrl(
  { revoked = [], thisUpdate, nextUpdate }: CrlContents,
  { issuer, key, algorithm, extensions = [] }: CrlSigning,
): Promise<Uint8Array> {
  const crl = await X509CrlGenerator.create({
    issuer: simulatedName(issuer),
    thisUpdate,
    nextUpdate,
    entries: revoked.map((serialNumber) => ({ serialNumber, revocationDate: thisUpdate })),
    signingAlgorithm: algorithm,
    signingKey: key,
    extensions,
  });
  return new Uint8Array(crl.rawData);
}
