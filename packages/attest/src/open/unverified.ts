/** What evidence says of itself, for people and for comparison. Anyone can write this: nothing here is proven. */
import { decodeLayout } from "@donjon/core/layout";
import { type Certificate, parseCertificate } from "@donjon/core/x509";
import { decodeFlags } from "../intel/flags.ts";
import { ENCLAVE_REPORT } from "../intel/layouts.ts";
import { parsePckExtension } from "../intel/pck-extension.ts";
import { parseQuote } from "../intel/quote.ts";
import { parseNitroDocument } from "../nitro/document.ts";
import { type Json, plainClaims } from "../plain.ts";
import { ENCLAVE_ATTRIBUTES } from "../sgx/claims.ts";
import { readClaims } from "../snp/claims.ts";
import { parseReport, reportProduct, type SnpReport } from "../snp/report.ts";
import { parseTdReport } from "../tdx/claims.ts";
import { TD_ATTRIBUTES } from "../tdx/layouts.ts";
import { AMD_PRODUCTS } from "../trust/amd.ts";
import { INTEL_OID } from "../trust/intel.ts";
import type { EvidenceSet } from "../verify.ts";
import { quoteChain } from "./collateral.ts";

/**
 * The fields of evidence as JSON values, named as in proven claims where both have them.
 * @throws DonjonError `evidence/malformed`, `bytes/*`
 */
export function readUnverified({ kind, evidence }: EvidenceSet): Json {
  switch (kind) {
    case "snp":
      return plainClaims(readSnp(parseReport(evidence))) as Json;
    case "nitro":
      return plainClaims(readNitro(evidence)) as Json;
    default:
      return plainClaims(readQuote(evidence)) as Json;
  }
}

function readSnp(report: SnpReport) {
  const product = reportProduct(report);
  const kind = report.keyInfo.signingKey === 1 ? "vlek" : "vcek";
  // A report of version 2 names no product; the products of its time share one form of TCB.
  const claims = readClaims(report, { product: product ?? AMD_PRODUCTS[0]!, kind, cspId: null });
  return { ...claims, product: product?.name };
}

function readQuote(bytes: Uint8Array) {
  const quote = parseQuote(bytes);
  const { mrEnclave, mrSigner, isvProdId, isvSvn } = quote.qeReport;
  const [leaf] = quoteChain(bytes);
  const pck = leaf && parseCertificate(leaf);
  return {
    quoteVersion: quote.version,
    trailingBytes: quote.trailingBytes,
    ...readBody(quote),
    quotingEnclave: { mrEnclave, mrSigner, isvProdId, isvSvn },
    platform: pck && readPlatform(pck),
  };
}

/** `undefined` for a certificate that says nothing of a platform: then it is no PCK certificate, and will not verify. */
function readPlatform(pck: Certificate) {
  if (!pck.extensions.has(INTEL_OID.sgxExtensions)) return undefined;
  return { ...parsePckExtension(pck), authority: pck.issuer.commonName };
}

function readBody(quote: ReturnType<typeof parseQuote>) {
  if (quote.teeType === "sgx") {
    const enclave = decodeLayout(ENCLAVE_REPORT, quote.body);
    return { enclave, attributes: decodeFlags(ENCLAVE_ATTRIBUTES, enclave.attributes) };
  }
  const td = parseTdReport(quote);
  return { bodyKind: quote.bodyKind, td, attributes: decodeFlags(TD_ATTRIBUTES, td.tdAttributes) };
}

function readNitro(bytes: Uint8Array) {
  const { source, moduleId, timestampMs, pcrs, publicKey, userData, nonce } =
    parseNitroDocument(bytes);
  return {
    source,
    moduleId,
    timestamp: new Date(timestampMs),
    pcrs,
    publicKey,
    userData,
    nonce,
  };
}
