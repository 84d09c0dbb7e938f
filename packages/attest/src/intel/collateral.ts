/**
 * Collateral of a quote: what Intel publishes about platforms, as the caller hands it in. Reading it proves nothing;
 * `verify-quote.ts` does.
 *
 * Sources: Intel PCS API version 4; Intel's `sgx_ql_qve_collateral_t` in the JSON form that dcap-qvl made common
 * (`QuoteCollateralV3`).
 */

import { MAX_CRL_BYTES } from "@donjon/core/crl";
import { DerReader } from "@donjon/core/der";
import { DonjonError } from "@donjon/core/errors";
import { decodeHex } from "@donjon/core/hex";
import { decodePem, looksLikePem } from "@donjon/core/pem";
import { MAX_CERTIFICATE_BYTES } from "@donjon/core/x509";
import { parseStrictJson } from "./strict-json.ts";

/** Most certificates of one chain; Intel's have three. */
const MAX_CHAIN = 8;

/** JSON exactly as Intel signed it, and the signature over its UTF-8: r and s, 32 octets each. */
export interface SignedJson {
  readonly text: string;
  readonly signature: Uint8Array;
}

/** Everything is optional here; `verifySgx` and `verifyTdx` refuse what is missing unless the caller allows it by name. */
export interface IntelCollateral {
  /** DER, signed by the root. */
  readonly rootCrl?: Uint8Array | undefined;
  /** DER, signed by the authority that signed the PCK certificate. */
  readonly pckCrl?: Uint8Array | undefined;
  readonly tcbInfo?: SignedJson | undefined;
  /** DER certificates, signer first; the root may be left out. */
  readonly tcbInfoIssuerChain?: readonly Uint8Array[] | undefined;
  readonly qeIdentity?: SignedJson | undefined;
  readonly qeIdentityIssuerChain?: readonly Uint8Array[] | undefined;
  /** For quotes that only name their platform: DER certificates, PCK first; the root may be left out. */
  readonly pckChain?: readonly Uint8Array[] | undefined;
}

/** Answers of Intel's PCS or a PCCS, each as it came. A CRL may be DER, PEM, or hexadecimal of DER; a chain PEM, URL-encoded or not. */
export interface PcsAnswers {
  readonly rootCrl?: Uint8Array | string | undefined;
  readonly pckCrl?: Uint8Array | string | undefined;
  /** Body of `/tcb`: `{"tcbInfo":{...},"signature":"..."}`. */
  readonly tcbInfo?: string | undefined;
  /** Header `TCB-Info-Issuer-Chain`. */
  readonly tcbInfoIssuerChain?: string | undefined;
  /** Body of `/qe/identity`: `{"enclaveIdentity":{...},"signature":"..."}`. */
  readonly qeIdentity?: string | undefined;
  /** Header `SGX-Enclave-Identity-Issuer-Chain`. */
  readonly qeIdentityIssuerChain?: string | undefined;
  /** PCK certificate and its chain, when the quote does not carry them. */
  readonly pckChain?: string | undefined;
}

/** Brings separate answers into one form. Throws DonjonError `bytes/*`. */
export function parsePcsAnswers(answers: PcsAnswers): IntelCollateral {
  const chain = (text: string | undefined) =>
    text === undefined ? undefined : parseChainText(text);
  return {
    rootCrl: answers.rootCrl === undefined ? undefined : normalizeCrl(answers.rootCrl),
    pckCrl: answers.pckCrl === undefined ? undefined : normalizeCrl(answers.pckCrl),
    tcbInfo:
      answers.tcbInfo === undefined ? undefined : splitSignedJson(answers.tcbInfo, ["tcbInfo"]),
    tcbInfoIssuerChain: chain(answers.tcbInfoIssuerChain),
    qeIdentity:
      answers.qeIdentity === undefined
        ? undefined
        : splitSignedJson(answers.qeIdentity, ["enclaveIdentity", "qeIdentity"]),
    qeIdentityIssuerChain: chain(answers.qeIdentityIssuerChain),
    pckChain: chain(answers.pckChain),
  };
}

/** Reads a `QuoteCollateralV3` JSON text. Throws DonjonError `bytes/*`. */
export function parseQuoteCollateralV3(text: string): IntelCollateral {
  const json = parseStrictJson(text);
  const signed = (name: string) => ({
    text: json.string(name),
    signature: json.hex(`${name}_signature`, 64),
  });
  const optionalChain = (name: string) =>
    json.has(name) ? parseChainText(json.string(name)) : undefined;
  return {
    rootCrl: normalizeCrl(json.string("root_ca_crl")),
    pckCrl: normalizeCrl(json.string("pck_crl")),
    tcbInfo: signed("tcb_info"),
    tcbInfoIssuerChain: parseChainText(json.string("tcb_info_issuer_chain")),
    qeIdentity: signed("qe_identity"),
    qeIdentityIssuerChain: parseChainText(json.string("qe_identity_issuer_chain")),
    pckChain: optionalChain("pck_certificate_chain"),
  };
}

/** `{"<name>":{...},"signature":"<hex>"}` to the object's exact text and the signature. Throws DonjonError `bytes/*`. */
export function splitSignedJson(text: string, names: readonly string[]): SignedJson {
  const json = parseStrictJson(text);
  const name = names.find((one) => json.has(one)) ?? names[0]!;
  return { text: json.object(name).text, signature: json.hex("signature", 64) };
}

/** A certificate chain: PEM (URL-encoded or not), as DER certificates in order. Throws DonjonError `bytes/*`. */
export function parseChainText(text: string): Uint8Array[] {
  const certificates = decodePem(
    /%[0-9a-fA-F]{2}/.test(text) ? urlDecode(text) : text,
    "CERTIFICATE",
  );
  if (certificates.length > MAX_CHAIN) throw tooLong(certificates.length);
  return certificates;
}

/** A certificate chain: PEM, or DER certificates one after the other as in Intel's sample set. Throws DonjonError `bytes/*`. */
export function parseChainBytes(bytes: Uint8Array): Uint8Array[] {
  if (bytes.length > MAX_CHAIN * MAX_CERTIFICATE_BYTES) throw tooLong(bytes.length);
  if (looksLikePem(bytes)) return parseChainText(latin1(bytes));
  const reader = new DerReader(bytes);
  const certificates: Uint8Array[] = [];
  while (!reader.done) {
    if (certificates.length === MAX_CHAIN) throw tooLong(MAX_CHAIN + 1);
    certificates.push(reader.readAny("certificate chain").encoding);
  }
  return certificates;
}

/** DER of a CRL that came as DER, PEM or hexadecimal of DER. Throws DonjonError `bytes/*`. */
export function normalizeCrl(crl: Uint8Array | string): Uint8Array {
  const text =
    typeof crl === "string" ? crl : crl[0] === 0x30 && crl[1]! >= 0x80 ? undefined : latin1(crl);
  if (text === undefined) return crl as Uint8Array;
  if (text.length > 2 * MAX_CRL_BYTES)
    throw new DonjonError("bytes/limit", `CRL has ${text.length} characters`);
  if (!text.trimStart().startsWith("-----BEGIN")) return decodeHex(text.replace(/[\s\0]+$/, ""));
  const [first, ...others] = decodePem(text, "X509 CRL");
  if (others.length > 0)
    throw new DonjonError("bytes/invalid", `PEM has ${others.length + 1} CRLs, wanted one`);
  return first!;
}

function urlDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new DonjonError(
      "bytes/invalid",
      "Cannot read a certificate chain: its URL encoding is not valid",
      { cause },
    );
  }
}

function latin1(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}

function tooLong(found: number): DonjonError {
  return new DonjonError(
    "bytes/limit",
    `Certificate chain has ${found}, limit ${MAX_CHAIN} certificates`,
  );
}
