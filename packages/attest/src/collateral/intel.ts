/** What Intel's PCS, or a PCCS that mirrors it, has for a quote. Source: Intel PCS API, version 4. */
import { parseCrl } from "@donjon/core/crl";
import { DonjonError } from "@donjon/core/errors";
import { encodeHex } from "@donjon/core/hex";
import { parseCertificate } from "@donjon/core/x509";
import {
  type IntelCollateral,
  normalizeCrl,
  type PcsAnswers,
  parsePcsAnswers,
} from "../intel/collateral.ts";
import { readPckCertificates } from "../intel/pck-certificates.ts";
import { parsePckExtension } from "../intel/pck-extension.ts";
import { parseQuote } from "../intel/quote.ts";
import { checked } from "./checked.ts";
import { failure } from "./request.ts";
import type { CollateralSource } from "./source.ts";
import type { Answer } from "./store.ts";

export const INTEL_PCS = "https://api.trustedservices.intel.com";
export const INTEL_ROOT_CRL = "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der";

export interface IntelOptions {
  /** Default: `INTEL_PCS`. A PCCS has the same paths. */
  readonly baseUrl?: string;
  /** Default: `INTEL_ROOT_CRL`, or a PCCS's `/rootcacrl` when `baseUrl` is given. */
  readonly rootCrlUrl?: string;
  /** Which of Intel's sets: the current one, the one announced next, or one by its number. Default: `standard`. */
  readonly update?: "standard" | "early" | { readonly tcbEvaluationDataNumber: number };
  /** For quotes that only name their platform: DER certificates, PCK first. */
  readonly pckChain?: readonly Uint8Array[];
}

const MAX_JSON_BYTES = 1 << 20;
const MAX_CRL_BYTES = 4 << 20;
const TCB_CHAIN = "tcb-info-issuer-chain";
/** Version 2 of the API had the first. */
const OLD_TCB_CHAIN = "sgx-tcb-info-issuer-chain";
const QE_CHAIN = "sgx-enclave-identity-issuer-chain";

/**
 * TCB info, QE identity and both revocation lists for a quote.
 * @throws AttestError `evidence/malformed`; DonjonError `collateral/*`, `bytes/*`
 */
export async function fetchIntelCollateral(
  bytes: Uint8Array,
  source: CollateralSource,
  options: IntelOptions = {},
): Promise<IntelCollateral> {
  const { teeType, certification } = parseQuote(bytes);
  const chain = options.pckChain ?? readPckCertificates(certification);
  const { fmspc, authority } = readPlatform(chain);
  const base = options.baseUrl ?? INTEL_PCS;
  const api = `${base}/${teeType}/certification/v4`;
  const sgx = `${base}/sgx/certification/v4`;
  const update = updateQuery(options);
  const rootUrl =
    options.rootCrlUrl ?? (options.baseUrl === undefined ? INTEL_ROOT_CRL : `${sgx}/rootcacrl`);
  const [tcb, qe, pckCrl, rootCrl] = await Promise.all([
    getSigned(source, `${api}/tcb?fmspc=${fmspc}&${update}`, "tcbInfo", [TCB_CHAIN, OLD_TCB_CHAIN]),
    getSigned(source, `${api}/qe/identity?${update}`, "qeIdentity", [QE_CHAIN]),
    getCrl(source, `${sgx}/pckcrl?ca=${authority}&encoding=der`),
    getCrl(source, rootUrl),
  ]);
  const collateral = parsePcsAnswers({
    ...tcb,
    ...qe,
    pckCrl: pckCrl.body,
    rootCrl: rootCrl.body,
  });
  return options.pckChain === undefined ? collateral : { ...collateral, pckChain: chain };
}

async function getSigned(
  source: CollateralSource,
  url: string,
  part: "tcbInfo" | "qeIdentity",
  headers: readonly string[],
): Promise<PcsAnswers> {
  const read = (answer: Answer): PcsAnswers => {
    const chain = headers.map((name) => answer.headers[name]).find((text) => text !== undefined);
    if (chain === undefined) {
      throw failure("collateral/answer", url, "no issuer chain", `the header '${headers[0]}'`);
    }
    const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(answer.body);
    return { [part]: text, [`${part}IssuerChain`]: chain };
  };
  const check = checked(part === "tcbInfo" ? "TCB info" : "a QE identity", (answer) => {
    const { tcbInfoIssuerChain, qeIdentityIssuerChain } = parsePcsAnswers(read(answer));
    (tcbInfoIssuerChain ?? qeIdentityIssuerChain)?.map(parseCertificate);
  });
  return read(await source.get({ url, maxBytes: MAX_JSON_BYTES, headers, check }));
}

function getCrl(source: CollateralSource, url: string): Promise<Answer> {
  const check = checked("a CRL", ({ body }) => parseCrl(normalizeCrl(body)));
  return source.get({ url, maxBytes: MAX_CRL_BYTES, check });
}

function updateQuery({ update = "standard" }: IntelOptions): string {
  return typeof update === "string"
    ? `update=${update}`
    : `tcbEvaluationDataNumber=${update.tcbEvaluationDataNumber}`;
}

function readPlatform(chain: readonly Uint8Array[]): { fmspc: string; authority: string } {
  const [der] = chain;
  if (der === undefined) {
    const message =
      "Cannot ask Intel's PCS: found a quote that only names its platform, wanted its PCK certificate in the quote or as 'pckChain'";
    throw new DonjonError("collateral/unavailable", message);
  }
  const pck = parseCertificate(der);
  const authority = pck.issuer.commonName?.endsWith("PCK Processor CA") ? "processor" : "platform";
  return { fmspc: encodeHex(parsePckExtension(pck).fmspc), authority };
}
