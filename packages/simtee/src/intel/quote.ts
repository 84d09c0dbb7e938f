/**
 * Writes and signs quotes by hand, offset by offset from Intel's DCAP documents, so that a wrong layout table of the
 * verifier cannot agree with itself.
 */
import { generateKeyPairSync, hash, type KeyObject, sign } from "node:crypto";
import { CURRENT_TCB } from "../simulated-tcb.ts";
import { QE_ISV_PROD_ID, QE_MR_SIGNER, QE_SVN } from "./quoting-enclave-identity.ts";

const INTEL_VENDOR = "939a7233f79c4ca9940a0db3957f0607";
const QE_REPORT_CERTIFICATION = 6;

export interface EnclaveFacts {
  /** FLAGS of ATTRIBUTES, lowest octet. */
  readonly attributes: number;
  /** 32 octets each. */
  readonly mrEnclave: Uint8Array;
  readonly mrSigner: Uint8Array;
  readonly isvProdId: number;
  readonly isvSvn: number;
  /** 64 octets. */
  readonly reportData: Uint8Array;
}

/** The body of an SGX quote, 384 octets; also how a quoting enclave vouches for its key (Intel SDM 3D, REPORT). */
export function encodeEnclaveReport(facts: EnclaveFacts): Uint8Array<ArrayBuffer> {
  const report = new Uint8Array(384);
  report[48] = facts.attributes;
  report.set(facts.mrEnclave, 64);
  report.set(facts.mrSigner, 128);
  report.set(u16(facts.isvProdId), 256);
  report.set(u16(facts.isvSvn), 258);
  report.set(facts.reportData, 320);
  return report;
}

/** The report of the quoting enclave (`QE`, or `TD_QE` for TDX). */
export function encodeQeReport(
  tee: "sgx" | "tdx",
  reportData: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const report = encodeEnclaveReport({
    attributes: 0x15, // INIT, MODE64BIT, PROVISIONKEY
    mrEnclave: new Uint8Array(32),
    mrSigner: QE_MR_SIGNER,
    isvProdId: QE_ISV_PROD_ID[tee],
    isvSvn: QE_SVN,
    reportData,
  });
  report[56] = 0xe7; // XFRM, outside the identity's mask
  return report;
}

/** 48 octets; version 3 names the versions of QE and PCE, later ones the TEE. */
export function encodeQuoteHeader(version: 3 | 4 | 5, tee: "sgx" | "tdx"): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(48);
  header[0] = version;
  header[2] = 2; // ECDSA-256-with-P-256
  header[4] = tee === "sgx" ? 0 : 0x81;
  if (version === 3) header.set([...u16(QE_SVN), ...u16(CURRENT_TCB.sgx.pceSvn)], 8);
  header.set(Buffer.from(INTEL_VENDOR, "hex"), 12);
  return header;
}

/** A quoting enclave with its attestation key, which the PCK has vouched for. */
export interface QuotingEnclave {
  readonly key: KeyObject;
  /** P-256 point, x and y. */
  readonly attestationKey: Uint8Array;
  /** QE report, its signature, authentication data, certification data. */
  readonly vouching: Uint8Array;
}

export interface QuotingEnclaveOptions {
  /** Signs the QE report. */
  readonly pckKey: KeyObject;
  /** DER or PEM chain for certification data type 5, or what another type holds. */
  readonly certification: { readonly type: number; readonly data: Uint8Array };
  /** Writes the QE report around 64 octets of report data, which bind the attestation key. */
  readonly encodeReport: (reportData: Uint8Array) => Uint8Array<ArrayBuffer>;
}

/** Makes an attestation key and has the PCK vouch for it. */
export function makeQuotingEnclave(options: QuotingEnclaveOptions): QuotingEnclave {
  const { pckKey, certification, encodeReport } = options;
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  // A SubjectPublicKeyInfo ends with the point.
  const spki = publicKey.export({ format: "der", type: "spki" });
  const attestationKey = new Uint8Array(spki.subarray(-64));
  const authentication = new Uint8Array(32).map((_, index) => index);
  const digest = hash("sha256", join(attestationKey, authentication), "buffer");
  const report = encodeReport(join(digest, new Uint8Array(32)));
  const vouching = join(
    report,
    signP256(pckKey, report),
    u16(authentication.length),
    authentication,
    u16(certification.type),
    u32(certification.data.length),
    certification.data,
  );
  return { key: privateKey, attestationKey, vouching };
}

/** @param signed header (with version 5's descriptor) and body */
export function signQuote(
  { key, attestationKey, vouching }: QuotingEnclave,
  version: 3 | 4 | 5,
  signed: Uint8Array,
): Uint8Array {
  const wrapped =
    version === 3 ? vouching : join(u16(QE_REPORT_CERTIFICATION), u32(vouching.length), vouching);
  const data = join(signP256(key, signed), attestationKey, wrapped);
  return join(signed, u32(data.length), data);
}

/** r and s, 32 octets each. */
function signP256(key: KeyObject, message: Uint8Array): Uint8Array {
  return sign("sha256", message, { key, dsaEncoding: "ieee-p1363" });
}

export function join(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.concat(parts));
}

export function u16(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, value >> 8);
}

export function u32(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, value >>> 24);
}
