/** A made-up AMD: ARK, ASK, ASVK of one product, VCEKs, VLEKs and CRLs. Built on @peculiar/x509, not on the code under test. */
import "reflect-metadata";
import type { AmdAuthority, AmdProductName, AmdRoot } from "@donjon/attest/snp";
import {
  BasicConstraintsExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  X509Certificate,
  X509CertificateGenerator,
  X509CrlGenerator,
} from "@peculiar/x509";

/** 2048 bits instead of AMD's 4096: making keys is most of a test's time. */
const RSA = {
  name: "RSA-PSS",
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
  hash: "SHA-384",
} as const;
const PSS = { name: "RSA-PSS", hash: "SHA-384", saltLength: 48 } as const;
const P384 = { name: "ECDSA", namedCurve: "P-384" } as const;

export const FAKE_NOT_BEFORE = new Date("2025-01-01T00:00:00Z");
export const FAKE_NOT_AFTER = new Date("2035-01-01T00:00:00Z");
/** A moment at which everything made here without other dates is valid. */
export const FAKE_NOW = new Date("2026-06-01T00:00:00Z");

export interface KeyPair {
  readonly publicKey: CryptoKey;
  readonly privateKey: CryptoKey;
}

export interface Authority {
  readonly name: string;
  readonly serialNumber: string;
  readonly keys: KeyPair;
  readonly certificate: Uint8Array;
}

export interface AuthorityOptions {
  readonly name: string;
  readonly serialNumber: string;
  /** The issuer; without one the certificate is self-signed. */
  readonly issuer?: Authority;
  readonly keys?: KeyPair;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly ca?: boolean;
  readonly saltLength?: number;
}

/** AMD's salts have 48 octets. */
function pss(saltLength = 48): { name: string; hash: string; saltLength: number } {
  return { ...PSS, saltLength };
}

export async function makeAuthority(options: AuthorityOptions): Promise<Authority> {
  const keys = options.keys ?? (await crypto.subtle.generateKey(RSA, true, ["sign", "verify"]));
  const certificate = await X509CertificateGenerator.create({
    serialNumber: options.serialNumber,
    subject: fakeName(options.name),
    issuer: fakeName(options.issuer?.name ?? options.name),
    notBefore: options.notBefore ?? FAKE_NOT_BEFORE,
    notAfter: options.notAfter ?? FAKE_NOT_AFTER,
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

export interface LeafOptions {
  readonly commonName: string;
  readonly issuer: Authority;
  /** AMD's extensions: dotted OID and raw value. */
  readonly extensions: readonly (readonly [oid: string, value: Uint8Array])[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly saltLength?: number;
}

export interface Leaf {
  readonly keys: KeyPair;
  readonly certificate: Uint8Array;
}

export async function makeLeaf(options: LeafOptions): Promise<Leaf> {
  const keys = await crypto.subtle.generateKey(P384, true, ["sign", "verify"]);
  const certificate = await X509CertificateGenerator.create({
    serialNumber: "00",
    subject: fakeName(options.commonName),
    issuer: fakeName(options.issuer.name),
    notBefore: options.notBefore ?? FAKE_NOT_BEFORE,
    notAfter: options.notAfter ?? FAKE_NOT_AFTER,
    signingAlgorithm: pss(options.saltLength),
    signingKey: options.issuer.keys.privateKey,
    publicKey: keys.publicKey,
    extensions: options.extensions.map(
      ([oid, value]) => new Extension(oid, false, new Uint8Array(value)),
    ),
  });
  return { keys, certificate: new Uint8Array(certificate.rawData) };
}

export interface CrlOptions {
  readonly issuer: Authority;
  /** Serial numbers, hexadecimal. */
  readonly revoked?: readonly string[];
  readonly thisUpdate?: Date;
  readonly nextUpdate?: Date;
  /** Another key than the issuer's. */
  readonly signer?: Authority;
}

export async function makeCrl(options: CrlOptions): Promise<Uint8Array> {
  const crl = await X509CrlGenerator.create({
    issuer: fakeName(options.issuer.name),
    thisUpdate: options.thisUpdate ?? FAKE_NOT_BEFORE,
    nextUpdate: options.nextUpdate ?? FAKE_NOT_AFTER,
    entries: (options.revoked ?? []).map((serialNumber) => ({
      serialNumber,
      revocationDate: FAKE_NOT_BEFORE,
    })),
    signingAlgorithm: PSS,
    signingKey: (options.signer ?? options.issuer).keys.privateKey,
  });
  return new Uint8Array(crl.rawData);
}

export interface FakeAmd {
  readonly product: AmdProductName;
  readonly ark: Authority;
  readonly ask: Authority;
  readonly asvk: Authority;
  /** For the `roots` option of `verifySnp`. */
  readonly root: AmdRoot;
}

export async function makeFakeAmd(product: AmdProductName): Promise<FakeAmd> {
  const ark = await makeAuthority({ name: `ARK-${product}`, serialNumber: "0a0000" });
  const [ask, asvk] = await Promise.all([
    makeAuthority({ name: `SEV-${product}`, serialNumber: "0a0001", issuer: ark }),
    makeAuthority({ name: `SEV-VLEK-${product}`, serialNumber: "0a0101", issuer: ark }),
  ]);
  const root: AmdRoot = {
    origin: "caller",
    product,
    ark: facts(ark),
    ask: facts(ask),
    asvk: facts(asvk),
  };
  return { product, ark, ask, asvk, root };
}

function facts(authority: Authority): AmdAuthority {
  const certificate = new X509Certificate(new Uint8Array(authority.certificate));
  return {
    commonName: authority.name,
    serialNumber: authority.serialNumber,
    notBefore: certificate.notBefore.toISOString(),
    notAfter: certificate.notAfter.toISOString(),
    spki: Buffer.from(certificate.publicKey.rawData).toString("base64"),
  };
}

function fakeName(commonName: string): string {
  return `OU=SIMULATED, O=Donjon testkit, CN=${commonName}`;
}
