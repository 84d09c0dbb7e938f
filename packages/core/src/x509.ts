/**
 * X.509 certificates, as much as attestation needs. Well-formedness only: who signed a certificate
 * and whether that is trusted is asked elsewhere.
 *
 * Source: RFC 5280 section 4.1. Tolerated because AMD's certificates need it: serial number 0, raw
 * bytes in an extension value, and what `x509-fields.ts` says about RSASSA-PSS.
 */
import { equalBytes } from "./bytes.ts";
import { contextTag, DER_TAG, DerReader, openDer } from "./der.ts";
import { DonjonError } from "./errors.ts";
import { OID } from "./oid.ts";
import {
  type DistinguishedName,
  type Extensions,
  type PublicKeyInfo,
  readExtensions,
  readName,
  readPublicKeyInfo,
  readSignatureAlgorithm,
  type SignatureAlgorithm,
} from "./x509-fields.ts";

/** Largest certificate in bytes; those that carry a quote and its collateral take about 20,000. */
export const MAX_CERTIFICATE_BYTES = 65_536;
/** Longest serial number in bytes (RFC 5280 section 4.1.2.2: 20, and a sign byte). */
const MAX_SERIAL_BYTES = 21;

export interface Certificate {
  /** The whole certificate. */
  readonly encoding: Uint8Array;
  /** TBSCertificate with its tag and length: the signed bytes. */
  readonly tbs: Uint8Array;
  /** INTEGER contents, big-endian. */
  readonly serialNumber: Uint8Array;
  readonly signatureAlgorithm: SignatureAlgorithm;
  readonly issuer: DistinguishedName;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly subject: DistinguishedName;
  readonly publicKey: PublicKeyInfo;
  readonly extensions: Extensions;
  /** `undefined` when the extension is absent. */
  readonly basicConstraints: BasicConstraints | undefined;
  /** `undefined` when the extension is absent. */
  readonly keyUsage: KeyUsage | undefined;
  /** Contents of the signature's BIT STRING: for ECDSA the DER of r and s. */
  readonly signature: Uint8Array;
}

export interface BasicConstraints {
  readonly ca: boolean;
  readonly pathLength: number | undefined;
}

export interface KeyUsage {
  readonly digitalSignature: boolean;
  readonly keyCertSign: boolean;
  readonly crlSign: boolean;
}

/** Reads one DER certificate; trailing bytes are refused. Throws DonjonError `bytes/*`. */
export function parseCertificate(bytes: Uint8Array): Certificate {
  const outer = openDer(bytes, DER_TAG.sequence, "certificate", MAX_CERTIFICATE_BYTES);
  const tbs = outer.read(DER_TAG.sequence, "tbsCertificate");
  const { encoding: algorithm, algorithm: signatureAlgorithm } = readSignatureAlgorithm(outer);
  const signature = outer.readBitString("certificate signature");
  outer.end("certificate");

  const reader = new DerReader(tbs.contents);
  const version = readVersion(reader);
  const serialNumber = readSerial(reader);
  // RFC 5280 section 4.1.1.2: both places must say the same; only the inner one is signed.
  requireSame(readSignatureAlgorithm(reader).encoding, algorithm);
  const issuer = readName(reader, "issuer");
  const validity = reader.enter(DER_TAG.sequence, "validity");
  const notBeforeMs = validity.readTime("notBefore");
  const notAfterMs = validity.readTime("notAfter");
  validity.end("validity");
  const subject = readName(reader, "subject");
  const publicKey = readPublicKeyInfo(reader);
  const wrapped = version === 3 ? reader.enterOptional(contextTag(3), "extensions") : undefined;
  const extensions: Extensions = wrapped === undefined ? new Map() : readExtensions(wrapped);
  wrapped?.end("extensions");
  reader.end("tbsCertificate");
  return {
    encoding: bytes,
    tbs: tbs.encoding,
    serialNumber,
    signatureAlgorithm,
    issuer,
    notBeforeMs,
    notAfterMs,
    subject,
    publicKey,
    extensions,
    basicConstraints: readBasicConstraints(extensions),
    keyUsage: readKeyUsage(extensions),
    signature,
  };
}

function readVersion(reader: DerReader): number {
  const wrapped = reader.enterOptional(contextTag(0), "version");
  if (wrapped === undefined) return 1;
  const version = wrapped.readNumber("version") + 1;
  wrapped.end("version");
  if (version !== 3) throw invalid(`certificate has version ${version}, wanted 3`);
  return version;
}

/** A certificate or CRL entry serial number: never negative, 0 allowed (every AMD leaf has it). */
export function readSerial(reader: DerReader): Uint8Array {
  const serial = reader.readInteger("serial number");
  if (serial[0]! >= 0x80) throw invalid("serial number is negative");
  if (serial.length > MAX_SERIAL_BYTES) {
    throw new DonjonError("bytes/limit", `serial number has ${serial.length} bytes, limit 21`);
  }
  return serial;
}

/** Refuses a signature algorithm that differs between the signed and the unsigned place. */
export function requireSame(inner: Uint8Array, outer: Uint8Array): void {
  if (!equalBytes(inner, outer)) {
    throw invalid("signature algorithm inside the signed part differs from the one outside");
  }
}

function readBasicConstraints(extensions: Extensions): BasicConstraints | undefined {
  const extension = extensions.get(OID.basicConstraints);
  if (extension === undefined) return undefined;
  const reader = openDer(extension.value, DER_TAG.sequence, "basicConstraints", 16);
  const ca = reader.peekTag() === DER_TAG.boolean ? reader.readBoolean("cA") : false;
  const pathLength = reader.done ? undefined : reader.readNumber("pathLenConstraint");
  reader.end("basicConstraints");
  return { ca, pathLength };
}

function readKeyUsage(extensions: Extensions): KeyUsage | undefined {
  const extension = extensions.get(OID.keyUsage);
  if (extension === undefined) return undefined;
  const reader = new DerReader(extension.value);
  const { contents } = reader.read(DER_TAG.bitString, "keyUsage");
  reader.end("keyUsage");
  const bits = contents[1];
  if (bits === undefined || contents[0]! > 7 || contents.length > 3) {
    throw invalid("keyUsage is no bit string of 1 to 9 bits");
  }
  return {
    digitalSignature: (bits & 0x80) !== 0,
    keyCertSign: (bits & 0x04) !== 0,
    crlSign: (bits & 0x02) !== 0,
  };
}

function invalid(message: string): DonjonError {
  return new DonjonError("bytes/invalid", message);
}
