/**
 * The parts that certificates, CRLs and certification requests share: names, algorithms, keys,
 * extensions.
 *
 * Source: RFC 5280 section 4.1 and appendix A, RFC 4055 (RSASSA-PSS), RFC 5480 and 5758 (ECDSA).
 */
import { contextTag, DER_TAG, DerReader } from "./der.ts";
import { DonjonError } from "./errors.ts";
import { OID } from "./oid.ts";

export type HashName = "SHA-256" | "SHA-384" | "SHA-512";

/** A signature algorithm as the certificate states it. `other` is never verified by anyone here. */
export type SignatureAlgorithm =
  | { readonly kind: "ecdsa"; readonly hash: HashName }
  | { readonly kind: "rsa-pss"; readonly hash: HashName; readonly saltLength: number }
  | { readonly kind: "rsa-pkcs1"; readonly hash: HashName }
  | { readonly kind: "other"; readonly oid: string };

/** A SubjectPublicKeyInfo: whole encoding (for import and hashing) and the key inside. */
export interface PublicKeyInfo {
  readonly encoding: Uint8Array;
  readonly kind: "p256" | "p384" | "rsa" | "other";
  /** EC: the uncompressed point, 65 or 97 bytes. RSA: the RSAPublicKey encoding. */
  readonly key: Uint8Array;
}

export interface DistinguishedName {
  /** The whole encoding: two names are one when these bytes are equal. */
  readonly encoding: Uint8Array;
  /** The common name, when there is exactly one and it is printable ASCII. */
  readonly commonName: string | undefined;
}

export interface Extension {
  readonly critical: boolean;
  /** Contents of extnValue, not looked into: AMD puts raw bytes here instead of DER. */
  readonly value: Uint8Array;
}

export type Extensions = ReadonlyMap<string, Extension>;

/** Most extensions in one list; attestation certificates carry up to 15. */
const MAX_EXTENSIONS = 64;

const HASHES: Readonly<Record<string, HashName>> = {
  [OID.sha256]: "SHA-256",
  [OID.sha384]: "SHA-384",
  [OID.sha512]: "SHA-512",
};

export function readSignatureAlgorithm(outer: DerReader): {
  readonly encoding: Uint8Array;
  readonly algorithm: SignatureAlgorithm;
} {
  const element = outer.read(DER_TAG.sequence, "signatureAlgorithm");
  const reader = new DerReader(element.contents);
  const oid = reader.readOid("signatureAlgorithm");
  return { encoding: element.encoding, algorithm: namedAlgorithm(oid, reader) };
}

function namedAlgorithm(oid: string, parameters: DerReader): SignatureAlgorithm {
  switch (oid) {
    case OID.ecdsaSha256:
    case OID.ecdsaSha384:
      // RFC 5758 section 3.2 wants none; Mbed TLS, and so Gramine, writes NULL.
      parameters.readOptional(DER_TAG.null, "ecdsa parameters");
      parameters.end("ecdsa parameters");
      return { kind: "ecdsa", hash: oid === OID.ecdsaSha256 ? "SHA-256" : "SHA-384" };
    case OID.sha256WithRsa:
    case OID.sha384WithRsa:
      parameters.read(DER_TAG.null, "RSA parameters");
      parameters.end("RSA parameters");
      return { kind: "rsa-pkcs1", hash: oid === OID.sha256WithRsa ? "SHA-256" : "SHA-384" };
    case OID.rsassaPss:
      return readPssParameters(parameters);
    default:
      return { kind: "other", oid };
  }
}

/**
 * RSASSA-PSS-params (RFC 4055 section 3.1). Hash and mask hash must be the same and stated: their
 * default is SHA-1. AMD's older VCEK and VLEK certificates spell out `trailerField 1`, a DEFAULT
 * that DER forbids to encode; exactly that value is let through, nothing else.
 */
function readPssParameters(outer: DerReader): SignatureAlgorithm {
  const reader = outer.enter(DER_TAG.sequence, "RSASSA-PSS parameters");
  outer.end("RSASSA-PSS parameters");
  const hash = readHash(reader.enter(contextTag(0), "PSS hashAlgorithm"));
  const mask = reader.enter(contextTag(1), "PSS maskGenAlgorithm");
  const mgf = mask.enter(DER_TAG.sequence, "PSS maskGenAlgorithm");
  mask.end("PSS maskGenAlgorithm");
  const mgfOid = mgf.readOid("PSS maskGenAlgorithm");
  const maskHash = readHash(mgf);
  if (mgfOid !== OID.mgf1 || maskHash !== hash) {
    throw invalid(`RSASSA-PSS masks with ${mgfOid} over ${maskHash}, wanted MGF1 over ${hash}`);
  }
  const salt = reader.enterOptional(contextTag(2), "PSS saltLength");
  const saltLength = salt?.readNumber("PSS saltLength") ?? 20;
  salt?.end("PSS saltLength");
  const trailer = reader.enterOptional(contextTag(3), "PSS trailerField");
  if (trailer !== undefined && trailer.readNumber("PSS trailerField") !== 1) {
    throw invalid("RSASSA-PSS trailerField is not 1");
  }
  trailer?.end("PSS trailerField");
  reader.end("RSASSA-PSS parameters");
  return { kind: "rsa-pss", hash, saltLength };
}

function readHash(outer: DerReader): HashName {
  const reader = outer.enter(DER_TAG.sequence, "hash algorithm");
  outer.end("hash algorithm");
  const oid = reader.readOid("hash algorithm");
  // RFC 4055 section 2.1: parameters NULL or absent, both in use.
  reader.readOptional(DER_TAG.null, "hash parameters");
  reader.end("hash algorithm");
  const hash = HASHES[oid];
  if (hash === undefined) throw invalid(`hash algorithm ${oid} is none of SHA-256, -384, -512`);
  return hash;
}

export function readPublicKeyInfo(outer: DerReader): PublicKeyInfo {
  const element = outer.read(DER_TAG.sequence, "subjectPublicKeyInfo");
  const reader = new DerReader(element.contents);
  const algorithm = reader.enter(DER_TAG.sequence, "public key algorithm");
  const oid = algorithm.readOid("public key algorithm");
  const key = reader.readBitString("subjectPublicKey");
  reader.end("subjectPublicKeyInfo");
  const kind = keyKind(oid, algorithm);
  const wanted = kind === "p256" ? 65 : kind === "p384" ? 97 : undefined;
  if (wanted !== undefined && (key.length !== wanted || key[0] !== 4)) {
    throw invalid(
      `EC public key has ${key.length} bytes, wanted an uncompressed point of ${wanted}`,
    );
  }
  return { encoding: element.encoding, kind, key };
}

function keyKind(oid: string, parameters: DerReader): PublicKeyInfo["kind"] {
  if (oid === OID.rsaEncryption) return "rsa";
  if (oid !== OID.ecPublicKey || parameters.peekTag() !== DER_TAG.oid) return "other";
  const curve = parameters.readOid("curve");
  return curve === OID.p256 ? "p256" : curve === OID.p384 ? "p384" : "other";
}

export function readName(outer: DerReader, what: string): DistinguishedName {
  const { encoding, contents } = outer.read(DER_TAG.sequence, what);
  const sets = new DerReader(contents);
  const commonNames: (string | undefined)[] = [];
  while (!sets.done) {
    const set = sets.enter(DER_TAG.set, what);
    do {
      const attribute = set.enter(DER_TAG.sequence, what);
      const oid = attribute.readOid(what);
      const value = attribute.readAny(what);
      attribute.end(what);
      if (oid === OID.commonName) commonNames.push(printable(value.contents));
    } while (!set.done);
  }
  return { encoding, commonName: commonNames.length === 1 ? commonNames[0] : undefined };
}

/** Longest common name taken, in bytes (RFC 5280 ub-common-name is 64 characters). */
const MAX_NAME_BYTES = 256;

function printable(bytes: Uint8Array): string | undefined {
  if (bytes.length > MAX_NAME_BYTES) return undefined;
  return bytes.every((byte) => byte >= 0x20 && byte < 0x7f)
    ? String.fromCharCode(...bytes)
    : undefined;
}

/** `Extensions ::= SEQUENCE SIZE (1..MAX) OF Extension`; a repeated OID is refused. */
export function readExtensions(outer: DerReader): Extensions {
  const list = outer.enter(DER_TAG.sequence, "extensions");
  const extensions = new Map<string, Extension>();
  while (!list.done) {
    const reader = list.enter(DER_TAG.sequence, "extension");
    const oid = reader.readOid("extension");
    const critical = reader.peekTag() === DER_TAG.boolean ? reader.readBoolean("critical") : false;
    const value = reader.readOctetString(`extension ${oid}`);
    reader.end(`extension ${oid}`);
    if (extensions.has(oid)) throw invalid(`extension ${oid} stands there twice`);
    if (extensions.size === MAX_EXTENSIONS) {
      throw new DonjonError("bytes/limit", `more than ${MAX_EXTENSIONS} extensions`);
    }
    extensions.set(oid, { critical, value });
  }
  return extensions;
}

function invalid(message: string): DonjonError {
  return new DonjonError("bytes/invalid", message);
}
