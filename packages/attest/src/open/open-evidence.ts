/**
 * Evidence in whatever it came in: bare, as text, in a certificate or request, in the JSON of other tools, in Azure's
 * HCL report, in a proof bundle. The kind is told by content, never by the name of a file.
 */
import { attempt } from "@donjon/core/attempt";
import { decodePem, looksLikePem } from "@donjon/core/pem";
import { type Certificate, parseCertificate } from "@donjon/core/x509";
import { detectEvidence } from "../detect.ts";
import { BUNDLE_FORMAT, parseBundle, verifyPreimage } from "../envelope/bundle.ts";
import { CMW_INDICATOR, type Cmw, readCmwExtension } from "../envelope/cmw.ts";
import { envelopeError, envelopeLimit, MAX_ENVELOPE_BYTES } from "../envelope/envelope-error.ts";
import { readQuoteExtension, verifyQuoteBinding } from "../envelope/quote-certificate.ts";
import { readRaTlsExtension, verifyRaTlsBinding } from "../envelope/ra-tls.ts";
import type { EvidenceSet } from "../verify.ts";
import { HCL_SIGNATURE, openHclReport } from "./hcl-report.ts";
import { openJsonWrapper } from "./json-wrapper.ts";
import { type OpenedEvidence, unknownEvidence } from "./opened.ts";
import { openRequest } from "./request.ts";

/** Members of a CMW collection looked at. */
const MAX_CMW_DEPTH = 8;

/**
 * Finds the evidence in a file. Proves nothing.
 * @throws DonjonError `evidence/malformed`, `bytes/*`
 */
export function openEvidence(bytes: Uint8Array): OpenedEvidence {
  if (bytes.length > MAX_ENVELOPE_BYTES) throw envelopeLimit("the evidence", bytes.length);
  if (looksLikePem(bytes)) return openPem(latin1(bytes));
  if (bytes[0] === 0x30 && bytes[1]! >= 0x80) return openDer(bytes);
  if (latin1(bytes.subarray(0, 4)) === HCL_SIGNATURE) return openHclReport(bytes);
  const json = readJson(bytes);
  if (json !== undefined) return openJson(json);
  const { kind, evidence, encoding } = detectEvidence(bytes);
  return { set: { kind, evidence }, carrier: encoding };
}

function openPem(text: string): OpenedEvidence {
  if (/^-----BEGIN (NEW )?CERTIFICATE REQUEST-----/.test(text.trimStart())) {
    const label = text.includes("NEW CERTIFICATE")
      ? "NEW CERTIFICATE REQUEST"
      : "CERTIFICATE REQUEST";
    return openRequest(decodePem(text, label)[0]!);
  }
  return openCertificate(parseCertificate(decodePem(text, "CERTIFICATE")[0]!));
}

/** A request has its version, an INTEGER, where a certificate has it tagged. */
function openDer(bytes: Uint8Array): OpenedEvidence {
  const certificate = attempt(() => parseCertificate(bytes));
  return certificate === undefined ? openRequest(bytes) : openCertificate(certificate);
}

function openCertificate(certificate: Certificate): OpenedEvidence {
  const raTls = readRaTlsExtension(certificate);
  if (raTls !== undefined) {
    return {
      set: detected(raTls.evidence),
      carrier: "certificate",
      verifyBinding: (reportData) => verifyRaTlsBinding(raTls, certificate, reportData),
    };
  }
  const quote = readQuoteExtension(certificate);
  if (quote !== undefined) {
    return {
      set: detected(quote),
      carrier: "certificate",
      verifyBinding: (reportData) => verifyQuoteBinding(certificate, reportData),
    };
  }
  const cmw = readCmwExtension(certificate);
  const evidence = cmw && findEvidence(cmw, 0);
  if (evidence === undefined) throw unknownEvidence("a certificate without an evidence extension");
  // RFC 9999 leaves to its user how evidence binds the key, so nothing is said about it here.
  return { set: evidence, carrier: "certificate" };
}

/** The first record that holds evidence; records that say they hold something else are passed over. */
function findEvidence(cmw: Cmw, depth: number): EvidenceSet | undefined {
  if (depth > MAX_CMW_DEPTH) return undefined;
  if (cmw.kind === "record") {
    const { indicator } = cmw;
    if (indicator !== undefined && (indicator & CMW_INDICATOR.evidence) === 0) return undefined;
    return attempt(() => detected(cmw.value));
  }
  for (const member of cmw.members.values()) {
    const found = findEvidence(member, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

function openJson(json: Readonly<Record<string, unknown>>): OpenedEvidence {
  if (json["format"] !== BUNDLE_FORMAT) return openJsonWrapper(json);
  const bundle = parseBundle(JSON.stringify(json));
  const opened = { set: bundle.set, carrier: "bundle", bundle } as const;
  if (bundle.preimage === undefined) return opened;
  return { ...opened, verifyBinding: (reportData) => verifyPreimage(bundle, reportData) };
}

function detected(bytes: Uint8Array): EvidenceSet {
  const { kind, evidence } = detectEvidence(bytes);
  return { kind, evidence };
}

/** The object that a text is, if it is JSON. */
function readJson(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  if (!/^\s*\{/.test(latin1(bytes.subarray(0, 64)))) return undefined;
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return value as Record<string, unknown>;
  } catch (cause) {
    throw envelopeError("the evidence", "text that starts like JSON and is none", "JSON", cause);
  }
}

function latin1(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}
