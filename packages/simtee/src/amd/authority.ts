/** A simulated AMD's authorities, leaves and revocation lists. Built on @peculiar/x509, not on the verifier's code. */
import "reflect-metadata";
import type { AmdAuthority } from "@donjon/attest/snp";
import {
  BasicConstraintsExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { type CrlContents, createCrl, type SigningAlgorithm } from "../certificates/crl.ts";
import { type KeyPair, makeKeyPair } from "../certificates/key-pair.ts";
import { simulatedName } from "../certificates/simulated-name.ts";
import { rfc3339, type Validity } from "../certificates/validity.ts";

export interface Authority {
  readonly name: string;
  readonly serialNumber: string;
  readonly keys: KeyPair;
  readonly certificate: Uint8Array;
}

export interface AuthorityOptions extends Validity {
  readonly name: string;
  readonly serialNumber: string;
  /** The issuer; without one the certificate is self-signed. */
  readonly issuer?: Authority;
  readonly keys?: KeyPair;
  readonly ca?: boolean;
  readonly saltLength?: number;
}

/** AMD's salts have 48 octets. */
function pss(saltLength = 48): SigningAlgorithm {
  return { name: "RSA-PSS", hash: "SHA-384", saltLength };
}

export async function makeAuthority(options: AuthorityOptions): Promise<Authority> {
  const keys = options.keys ?? (await makeKeyPair("rsa-pss"));
  const certificate = await X509CertificateGenerator.create({
    serialNumber: options.serialNumber,
    subject: simulatedName(options.name),
    issuer: simulatedName(options.issuer?.name ?? options.name),
    notBefore: options.notBefore,
    notAfter: options.notAfter,
    signingAlgorithm: pss(options.saltLength),
    signingKey: (options.issuer?.keys ?? keys).privateKey,
    publicKey: keys.publicKey,
    extensions: [
      new BasicConstraintsExtension(options.ca ?? true, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ],
  });
  return {
    name: options.name,
    serialNumber: options.serialNumber,
    keys,
    certificate: new Uint8Array(certificate.rawData),
  };
}

export interface LeafOptions extends Validity {
  readonly commonName: string;
  readonly issuer: Authority;
  readonly keys?: KeyPair;
  /** AMD's extensions: dotted OID and raw value. */
  readonly extensions: readonly (readonly [oid: string, value: Uint8Array])[];
  readonly saltLength?: number;
}

export interface Leaf {
  readonly keys: KeyPair;
  readonly certificate: Uint8Array;
}

export async function makeLeaf(options: LeafOptions): Promise<Leaf> {
  const keys = options.keys ?? (await makeKeyPair("P-384"));
  const certificate = await X509CertificateGenerator.create({
    serialNumber: "00",
    subject: simulatedName(options.commonName),
    issuer: simulatedName(options.issuer.name),
    notBefore: options.notBefore,
    notAfter: options.notAfter,
    signingAlgorithm: pss(options.saltLength),
    signingKey: options.issuer.keys.privateKey,
    publicKey: keys.publicKey,
    extensions: options.extensions.map(
      ([oid, value]) => new Extension(oid, false, new Uint8Array(value)),
    ),
  });
  return { keys, certificate: new Uint8Array(certificate.rawData) };
}

export interface CrlOptions extends CrlContents {
  readonly issuer: Authority;
  /** Another key than the issuer's. */
  readonly signer?: Authority;
}

export function makeCrl(options: CrlOptions): Promise<Uint8Array> {
  const { issuer, signer = issuer } = options;
  const key = signer.keys.privateKey;
  return createCrl(options, { issuer: issuer.name, key, algorithm: pss() });
}

/** What a verifier pins of an authority. */
export function authorityFacts(authority: Authority): AmdAuthority {
  const certificate = new X509Certificate(new Uint8Array(authority.certificate));
  return {
    commonName: authority.name,
    serialNumber: authority.serialNumber,
    notBefore: rfc3339(certificate.notBefore),
    notAfter: rfc3339(certificate.notAfter),
    spki: Buffer.from(certificate.publicKey.rawData).toString("base64"),
  };
}
