/**
 * Certification requests (PKCS#10) that carry evidence and the collateral to check it offline, as Enarx Keeps send
 * them to Steward. Report data is the digest of the request's key.
 *
 * Sources: RFC 2986; enarx/steward, `crates/attestation` (extensions 1.3.6.1.4.1.58270.1.2 for SGX, .3 for SNP).
 */
import { contextTag, DER_TAG, DerReader, openDer } from "@donjon/core/der";
import { DonjonError } from "@donjon/core/errors";
import {
  type Extensions,
  type PublicKeyInfo,
  readExtensions,
  readName,
  readPublicKeyInfo,
  readSignatureAlgorithm,
} from "@donjon/core/x509-fields";
import { AttestError } from "../attest-error.ts";
import { isSignedBy, type Signed } from "../certificate-path.ts";
import { VerifyCache } from "../verify-cache.ts";
import { requireKeyDigest } from "./quote-certificate.ts";

/** Largest request in octets; one with a quote, its CRLs and its TCB info takes 13,000. */
export const MAX_REQUEST_BYTES = 262_144;
const MAX_STAPLED = 16;
const EXTENSION_REQUEST = "1.2.840.113549.1.9.14";
const SGX_EVIDENCE = "1.3.6.1.4.1.58270.1.2";
const SNP_EVIDENCE = "1.3.6.1.4.1.58270.1.3";

export interface StapledSgx {
  readonly kind: "sgx";
  readonly quote: Uint8Array;
  /** DER, of every authority that might have signed; choose by issuer. */
  readonly crls: readonly Uint8Array[];
  /** Answer of the PCS, with its signature; and its chain, DER, as it came. */
  readonly tcbInfo: Uint8Array;
  readonly tcbInfoIssuerChain: readonly Uint8Array[];
}

export interface StapledSnp {
  readonly kind: "snp";
  readonly report: Uint8Array;
  readonly vcek: Uint8Array;
  readonly crls: readonly Uint8Array[];
}

export interface EvidenceRequest {
  readonly publicKey: PublicKeyInfo;
  readonly stapled: StapledSgx | StapledSnp;
  /** The request is signed with its own key. */
  readonly signed: Signed;
}

/**
 * Reads a request. Proves nothing: verify the evidence, then ask `verifyRequestBinding`.
 * @throws AttestError `evidence/malformed`, reason `envelope/malformed`
 */
export function parseEvidenceRequest(bytes: Uint8Array): EvidenceRequest {
  try {
    return readRequest(bytes);
  } catch (cause) {
    if (!(cause instanceof DonjonError)) throw cause;
    throw new AttestError("evidence/malformed", "envelope/malformed", cause.message, { cause });
  }
}

/**
 * That the evidence speaks for the request's key, and the request is signed with it.
 *
 * @param reportData 64 octets, from verified claims
 * @throws AttestError `evidence/refused`, reason `envelope/binding`
 */
export async function verifyRequestBinding(
  request: EvidenceRequest,
  reportData: Uint8Array,
): Promise<void> {
  if (!(await isSignedBy(new VerifyCache(), request.signed, request.publicKey))) {
    const message = "Cannot accept the request: found another signature, wanted one by its own key";
    throw new AttestError("evidence/refused", "envelope/binding", message);
  }
  const algorithm = request.stapled.kind === "sgx" ? "SHA-256" : "SHA-384";
  await requireKeyDigest(algorithm, request.publicKey.encoding, reportData);
}

function readRequest(bytes: Uint8Array): EvidenceRequest {
  const outer = openDer(bytes, DER_TAG.sequence, "request", MAX_REQUEST_BYTES);
  const info = outer.read(DER_TAG.sequence, "certificationRequestInfo");
  const { algorithm: signatureAlgorithm } = readSignatureAlgorithm(outer);
  const signature = outer.readBitString("request signature");
  outer.end("request");
  const reader = new DerReader(info.contents);
  if (reader.readNumber("version") !== 0) throw invalid("another version", "0");
  readName(reader, "subject");
  const publicKey = readPublicKeyInfo(reader);
  const extensions = readRequestedExtensions(reader.enter(contextTag(0), "attributes"));
  reader.end("certificationRequestInfo");
  const signed = { tbs: info.encoding, signatureAlgorithm, signature };
  return { publicKey, stapled: readStapled(extensions), signed };
}

function readRequestedExtensions(attributes: DerReader): Extensions {
  while (!attributes.done) {
    const attribute = attributes.enter(DER_TAG.sequence, "attribute");
    const oid = attribute.readOid("attribute");
    const values = attribute.enter(DER_TAG.set, "attribute values");
    attribute.end("attribute");
    if (oid === EXTENSION_REQUEST) return readExtensions(values);
  }
  throw invalid("no extension request", "one");
}

function readStapled(extensions: Extensions): EvidenceRequest["stapled"] {
  const sgx = extensions.get(SGX_EVIDENCE)?.value;
  const snp = extensions.get(SNP_EVIDENCE)?.value;
  if ((sgx === undefined) === (snp === undefined)) {
    throw invalid(
      sgx === undefined ? "no evidence" : "evidence of two kinds",
      "SGX or SNP evidence",
    );
  }
  return sgx === undefined ? readSnp(snp!) : readSgx(sgx);
}

function readSgx(value: Uint8Array): StapledSgx {
  const reader = openDer(value, DER_TAG.sequence, "SGX evidence", MAX_REQUEST_BYTES);
  const quote = reader.readOctetString("quote");
  const crls = readCrls(reader);
  const tcb = reader.enter(DER_TAG.sequence, "TCB");
  reader.end("SGX evidence");
  const chain = tcb.enter(DER_TAG.sequence, "TCB chain");
  const tcbInfoIssuerChain = readEach(
    chain,
    "TCB chain",
    (list) => list.readAny("certificate").encoding,
  );
  const tcbInfo = tcb.readOctetString("TCB info");
  tcb.end("TCB");
  return { kind: "sgx", quote, crls, tcbInfo, tcbInfoIssuerChain };
}

function readSnp(value: Uint8Array): StapledSnp {
  const reader = openDer(value, DER_TAG.sequence, "SNP evidence", MAX_REQUEST_BYTES);
  const certificates = reader.enter(DER_TAG.sequence, "certificates");
  const vcek = certificates.read(DER_TAG.sequence, "VCEK").encoding;
  const crls = readCrls(certificates);
  certificates.end("certificates");
  const report = reader.readOctetString("report");
  reader.end("SNP evidence");
  return { kind: "snp", report, vcek, crls };
}

/** `SEQUENCE { SEQUENCE OF SEQUENCE { url UTF8String, crl CertificateList } }`. */
function readCrls(outer: DerReader): Uint8Array[] {
  const wrapper = outer.enter(DER_TAG.sequence, "CRLs");
  const list = wrapper.enter(DER_TAG.sequence, "CRLs");
  wrapper.end("CRLs");
  return readEach(list, "CRLs", (entries) => {
    const entry = entries.enter(DER_TAG.sequence, "CRL entry");
    entry.read(DER_TAG.utf8String, "CRL URL");
    const crl = entry.read(DER_TAG.sequence, "CRL").encoding;
    entry.end("CRL entry");
    return crl;
  });
}

function readEach<T>(list: DerReader, what: string, read: (list: DerReader) => T): T[] {
  const items: T[] = [];
  while (!list.done) {
    if (items.length === MAX_STAPLED) {
      throw new DonjonError("bytes/limit", `${what} has more than ${MAX_STAPLED} entries`);
    }
    items.push(read(list));
  }
  return items;
}

function invalid(found: string, wanted: string): DonjonError {
  return new DonjonError(
    "bytes/invalid",
    `Cannot read the request: found ${found}, wanted ${wanted}`,
  );
}
