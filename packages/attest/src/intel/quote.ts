/**
 * Is it a well-formed quote? The frame that SGX and TDX share: header, body, signature data. What the body says is
 * for `sgx/` and `tdx/`.
 *
 * Sources: Intel SGX ECDSA QuoteGenReference A.4 (version 3), Intel TDX DCAP Quoting Library API A.3 and A.4
 * (versions 4 and 5).
 */
import { Cursor } from "@donjon/core/cursor";
import { DonjonError } from "@donjon/core/errors";
import { type Decoded, decodeLayout } from "@donjon/core/layout";
import { AttestError } from "../attest-error.ts";
import { ENCLAVE_REPORT, QUOTE_BODY_DESCRIPTOR, QUOTE_HEADER, QUOTE_HEADER_V3 } from "./layouts.ts";

/** Largest quote in octets, what follows it included. Real ones take 5,000, padded ones 8,000. */
export const MAX_QUOTE_BYTES = 131_072;

/** The only kind of attestation key in use: ECDSA-256-with-P-256. */
const KEY_TYPE_P256 = 2;
/** Certification data type 6 wraps QE report and certification data, from version 4 on. */
const QE_REPORT_CERTIFICATION = 6;
const TEE_TYPES: Readonly<Record<number, TeeType>> = { 0: "sgx", 129: "tdx" };

export type TeeType = "sgx" | "tdx";
export type QuoteBodyKind = "sgx" | "td-1.0" | "td-1.5" | "td-1.5-ex";

/** Bodies by the number that version 5 gives them. Versions 3 and 4 imply one. */
const BODIES: Readonly<Record<number, { kind: QuoteBodyKind; tee: TeeType; size: number }>> = {
  1: { kind: "sgx", tee: "sgx", size: 384 },
  2: { kind: "td-1.0", tee: "tdx", size: 584 },
  3: { kind: "td-1.5", tee: "tdx", size: 648 },
  4: { kind: "td-1.5-ex", tee: "tdx", size: 885 },
};

export interface CertificationData {
  /** 1 to 3: the platform is only named (PPID), its PCK certificate must be given. 5: the PCK certificate chain. */
  readonly type: number;
  readonly data: Uint8Array;
}

export interface Quote {
  readonly version: 3 | 4 | 5;
  readonly teeType: TeeType;
  readonly bodyKind: QuoteBodyKind;
  /** Views of the input, which must not change while the quote is in use. */
  readonly body: Uint8Array;
  /** Header (with version 5's descriptor) and body: what the attestation key signs. */
  readonly signed: Uint8Array;
  readonly qeVendorId: Uint8Array;
  readonly userData: Uint8Array;
  /** r and s, 32 octets each, big-endian. */
  readonly signature: Uint8Array;
  /** P-256 point, x and y, 32 octets each. */
  readonly attestationKey: Uint8Array;
  readonly qeReport: Decoded<typeof ENCLAVE_REPORT>;
  /** The 384 octets that `qeReportSignature` is over. */
  readonly qeReportBytes: Uint8Array;
  readonly qeReportSignature: Uint8Array;
  readonly qeAuthenticationData: Uint8Array;
  readonly certification: CertificationData;
  /** Octets after the quote. Genuine quotes come padded; they are signed by no one. */
  readonly trailingBytes: number;
}

/**
 * Reads a quote of version 3, 4 or 5. Says nothing about who made it.
 * @throws AttestError `evidence/malformed`, reason `intel/quote-malformed`, `intel/quote-version` or `intel/quote-limit`
 */
export function parseQuote(bytes: Uint8Array): Quote {
  if (bytes.length > MAX_QUOTE_BYTES) {
    throw malformed("intel/quote-limit", `${bytes.length} octets`, `at most ${MAX_QUOTE_BYTES}`);
  }
  try {
    return readQuote(new Cursor(bytes));
  } catch (cause) {
    if (!(cause instanceof DonjonError) || cause instanceof AttestError) throw cause;
    throw new AttestError("evidence/malformed", "intel/quote-malformed", cause.message, { cause });
  }
}

function readQuote(cursor: Cursor): Quote {
  const header = readHeader(cursor.bytes(48, "the quote header"));
  const { kind, body } = readBody(cursor, header.version, header.teeType);
  const signed = cursor.input.subarray(0, cursor.offset);
  const length = cursor.u32("the length of the signature data");
  const data = new Cursor(cursor.bytes(length, "the signature data"));
  const signature = data.bytes(64, "the quote signature");
  const attestationKey = data.bytes(64, "the attestation key");
  const qe = header.version === 3 ? data : enterWrapper(data);
  const qeReportBytes = qe.bytes(ENCLAVE_REPORT.size, "the QE report");
  const qeReportSignature = qe.bytes(64, "the QE report signature");
  const qeAuthenticationData = qe.bytes(
    qe.u16("the length of the QE data"),
    "the QE authentication data",
  );
  const certification = readCertification(qe);
  qe.end("the certification data");
  data.end("the signature data");
  return {
    ...header,
    bodyKind: kind,
    body,
    signed,
    signature,
    attestationKey,
    qeReport: decodeLayout(ENCLAVE_REPORT, qeReportBytes),
    qeReportBytes,
    qeReportSignature,
    qeAuthenticationData,
    certification,
    trailingBytes: cursor.remaining,
  };
}

type Header = Pick<Quote, "version" | "teeType" | "qeVendorId" | "userData">;

function readHeader(bytes: Uint8Array): Header {
  const version = bytes[0]! | (bytes[1]! << 8);
  if (version !== 3 && version !== 4 && version !== 5) {
    throw malformed("intel/quote-version", `version ${version}`, "3, 4 or 5");
  }
  const header =
    version === 3
      ? { ...decodeLayout(QUOTE_HEADER_V3, bytes), teeType: 0 }
      : decodeLayout(QUOTE_HEADER, bytes);
  const { attestationKeyType, qeVendorId, userData } = header;
  if (attestationKeyType !== KEY_TYPE_P256) {
    throw malformed("intel/quote-version", `attestation key type ${attestationKeyType}`, "2");
  }
  const teeType = TEE_TYPES[header.teeType];
  if (teeType === undefined) {
    throw malformed("intel/quote-version", `TEE type ${header.teeType}`, "0 (SGX) or 129 (TDX)");
  }
  return { version, teeType, qeVendorId, userData };
}

function readBody(
  cursor: Cursor,
  version: number,
  teeType: TeeType,
): { kind: QuoteBodyKind; body: Uint8Array } {
  if (version < 5) {
    const { kind, size } = BODIES[teeType === "sgx" ? 1 : 2]!;
    return { kind, body: cursor.bytes(size, "the quote body") };
  }
  const descriptor = decodeLayout(QUOTE_BODY_DESCRIPTOR, cursor.bytes(6, "the body descriptor"));
  const known = BODIES[descriptor.bodyType];
  if (known === undefined || known.tee !== teeType || known.size !== descriptor.size) {
    const found = `body type ${descriptor.bodyType} of ${descriptor.size} octets for ${teeType}`;
    throw malformed("intel/quote-version", found, "1 (SGX, 384), 2 (584), 3 (648) or 4 (885)");
  }
  return { kind: known.kind, body: cursor.bytes(known.size, "the quote body") };
}

function enterWrapper(data: Cursor): Cursor {
  const { type, data: inner } = readCertification(data);
  if (type !== QE_REPORT_CERTIFICATION) {
    throw malformed("intel/quote-malformed", `certification data type ${type}`, "6");
  }
  return new Cursor(inner);
}

function readCertification(cursor: Cursor): CertificationData {
  const type = cursor.u16("the type of the certification data");
  const length = cursor.u32("the length of the certification data");
  return { type, data: cursor.bytes(length, "the certification data") };
}

function malformed(
  reason: "intel/quote-malformed" | "intel/quote-version" | "intel/quote-limit",
  found: string,
  wanted: string,
): AttestError {
  const message = `Cannot read this quote: found ${found}, wanted ${wanted}`;
  return new AttestError("evidence/malformed", reason, message);
}
