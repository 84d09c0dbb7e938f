/**
 * Certificate revocation lists, well-formedness only.
 *
 * Source: RFC 5280 section 5.1. Delta lists, indirect lists and lists for one distribution point
 * are refused: each says less than it seems to, and no vendor of attestation keys issues one.
 */
import { contextTag, DER_TAG, DerReader, openDer } from "./der.ts";
import { DonjonError } from "./errors.ts";
import { encodeHex } from "./hex.ts";
import { OID } from "./oid.ts";
import { readSerial, requireSame } from "./x509.ts";
import {
  type DistinguishedName,
  type Extensions,
  readExtensions,
  readName,
  readSignatureAlgorithm,
  type SignatureAlgorithm,
} from "./x509-fields.ts";

/** Largest list in bytes; Intel's platform list takes 6,000, and an entry about 50. */
export const MAX_CRL_BYTES = 4 * 1024 * 1024;

export interface Crl {
  readonly encoding: Uint8Array;
  /** TBSCertList with its tag and length: the signed bytes. */
  readonly tbs: Uint8Array;
  readonly signatureAlgorithm: SignatureAlgorithm;
  readonly issuer: DistinguishedName;
  readonly thisUpdateMs: number;
  /** `undefined` when the list does not say until when it holds. */
  readonly nextUpdateMs: number | undefined;
  /** Serial numbers of revoked certificates, as lower-case hex of the INTEGER contents. */
  readonly revoked: ReadonlySet<string>;
  readonly extensions: Extensions;
  readonly signature: Uint8Array;
}

/** Reads one DER list; trailing bytes are refused. Throws DonjonError `bytes/*`. */
export function parseCrl(bytes: Uint8Array): Crl {
  const outer = openDer(bytes, DER_TAG.sequence, "CRL", MAX_CRL_BYTES);
  const tbs = outer.read(DER_TAG.sequence, "tbsCertList");
  const { encoding: algorithm, algorithm: signatureAlgorithm } = readSignatureAlgorithm(outer);
  const signature = outer.readBitString("CRL signature");
  outer.end("CRL");

  const reader = new DerReader(tbs.contents);
  const version = reader.peekTag() === DER_TAG.integer ? reader.readNumber("CRL version") + 1 : 1;
  if (version !== 2) throw invalid(`CRL has version ${version}, wanted 2`);
  requireSame(readSignatureAlgorithm(reader).encoding, algorithm);
  const issuer = readName(reader, "CRL issuer");
  const thisUpdateMs = reader.readTime("thisUpdate");
  const hasNext = isTime(reader.peekTag());
  const nextUpdateMs = hasNext ? reader.readTime("nextUpdate") : undefined;
  const entries = reader.enterOptional(DER_TAG.sequence, "revokedCertificates");
  const revoked = entries === undefined ? new Set<string>() : readRevoked(entries);
  const wrapped = reader.enterOptional(contextTag(0), "CRL extensions");
  const extensions: Extensions = wrapped === undefined ? new Map() : readExtensions(wrapped);
  wrapped?.end("CRL extensions");
  reader.end("tbsCertList");
  refuseCritical(extensions);
  return {
    encoding: bytes,
    tbs: tbs.encoding,
    signatureAlgorithm,
    issuer,
    thisUpdateMs,
    nextUpdateMs,
    revoked,
    extensions,
    signature,
  };
}

function readRevoked(entries: DerReader): Set<string> {
  const revoked = new Set<string>();
  while (!entries.done) {
    const entry = entries.enter(DER_TAG.sequence, "CRL entry");
    revoked.add(encodeHex(readSerial(entry)));
    entry.readTime("revocationDate");
    if (!entry.done) refuseCritical(readExtensions(entry));
    entry.end("CRL entry");
  }
  return revoked;
}

/** A critical extension that we do not act on changes what the list means (RFC 5280 section 5.2). */
function refuseCritical(extensions: Extensions): void {
  for (const [oid, { critical }] of extensions) {
    const partial = oid === OID.deltaCrlIndicator || oid === OID.issuingDistributionPoint;
    if (critical || partial) throw invalid(`CRL has extension ${oid}, which is not supported`);
  }
}

function isTime(tag: number | undefined): boolean {
  return tag === DER_TAG.utcTime || tag === DER_TAG.generalizedTime;
}

function invalid(message: string): DonjonError {
  return new DonjonError("bytes/invalid", message);
}
