/** What AMD's Key Distribution Service has for a report. Source: AMD 57230, "KDS interface". */

import { isZero } from "@donjon/core/bytes";
import { parseCrl } from "@donjon/core/crl";
import { DonjonError } from "@donjon/core/errors";
import { encodeHex } from "@donjon/core/hex";
import { decodePem } from "@donjon/core/pem";
import { parseCertificate } from "@donjon/core/x509";
import { parseReport, reportProduct, type SnpReport } from "../snp/report.ts";
import { decodeTcb, type Tcb } from "../snp/tcb.ts";
import type { SnpEndorsements } from "../snp/verify.ts";
import { AMD_PRODUCTS, type AmdProduct, type AmdProductName } from "../trust/amd.ts";
import { checked } from "./checked.ts";
import type { CollateralSource } from "./source.ts";

export const AMD_KDS = "https://kdsintf.amd.com";

export interface AmdOptions {
  /** Default: `AMD_KDS`. */
  readonly baseUrl?: string;
  /** For reports of version 2, which name no product. */
  readonly product?: AmdProductName;
}

const MAX_CERTIFICATE_BYTES = 16_384;
const MAX_CHAIN_BYTES = 65_536;
const MAX_CRL_BYTES = 1 << 20;
/** A chip's certificate for a TCB does not change. */
const CHIP_AGE_FACTOR = 30;

/** Names of the KDS for the parts of a TCB, in its order. */
const PARAMETERS: readonly (readonly [name: string, part: keyof Tcb])[] = [
  ["fmcSPL", "fmc"],
  ["blSPL", "bootloader"],
  ["teeSPL", "tee"],
  ["snpSPL", "snp"],
  ["ucodeSPL", "microcode"],
];

/**
 * The VCEK certificate, its issuers and the revocation list of a report's product. For a report signed by a VLEK the
 * issuers and the list only: its certificate comes from the cloud, with the report.
 *
 * @throws AttestError `evidence/malformed`; DonjonError `collateral/*`
 */
export async function fetchSnpEndorsements(
  bytes: Uint8Array,
  source: CollateralSource,
  options: AmdOptions = {},
): Promise<SnpEndorsements> {
  const report = parseReport(bytes);
  const product = selectProduct(report, options);
  const service = report.keyInfo.signingKey === 1 ? "vlek" : "vcek";
  const base = `${options.baseUrl ?? AMD_KDS}/${service}/v1/${product.name}`;
  const [leaf, chain, crl] = await Promise.all([
    service === "vlek" ? [] : fetchVcek(report, source, options),
    source.get({
      url: `${base}/cert_chain`,
      maxBytes: MAX_CHAIN_BYTES,
      check: checked("a PEM chain", ({ body }) => readChain(body).map(parseCertificate)),
    }),
    source.get({
      url: `${base}/crl`,
      maxBytes: MAX_CRL_BYTES,
      check: checked("a CRL", ({ body }) => parseCrl(body)),
    }),
  ]);
  return { certificates: [...leaf, ...readChain(chain.body)], crls: [crl.body] };
}

/**
 * Where the KDS has the certificate of a chip at a TCB.
 * @throws DonjonError `collateral/unavailable` when the report does not say which chip it is
 */
export function vcekUrl(report: SnpReport, options: AmdOptions = {}): string {
  const product = selectProduct(report, options);
  const { chipId, reportedTcb } = report.fields;
  if (isZero(chipId)) {
    throw unknown("a CHIP_ID masked with zeros", "one, or the VCEK certificate from the host");
  }
  const hwid = encodeHex(chipId.subarray(0, product.hwidBytes));
  const tcb = decodeTcb(product.tcbForm, reportedTcb);
  const query = PARAMETERS.filter(([, part]) => tcb[part] !== null)
    .map(([name, part]) => `${name}=${String(tcb[part]).padStart(2, "0")}`)
    .join("&");
  return `${options.baseUrl ?? AMD_KDS}/vcek/v1/${product.name}/${hwid}?${query}`;
}

async function fetchVcek(
  report: SnpReport,
  source: CollateralSource,
  options: AmdOptions,
): Promise<readonly Uint8Array[]> {
  const { body } = await source.get({
    url: vcekUrl(report, options),
    maxBytes: MAX_CERTIFICATE_BYTES,
    ageFactor: CHIP_AGE_FACTOR,
    check: checked("a certificate", (answer) => parseCertificate(answer.body)),
  });
  return [body];
}

function selectProduct(report: SnpReport, { product: name }: AmdOptions): AmdProduct {
  const named = AMD_PRODUCTS.find((one) => one.name === name);
  const product = reportProduct(report) ?? named;
  if (product !== undefined) return product;
  throw unknown("a report that names no product with published keys", "the option 'product'");
}

function readChain(body: Uint8Array): Uint8Array[] {
  return decodePem(new TextDecoder("latin1").decode(body), "CERTIFICATE");
}

function unknown(found: string, wanted: string): DonjonError {
  return new DonjonError(
    "collateral/unavailable",
    `Cannot ask AMD's KDS: found ${found}, wanted ${wanted}`,
  );
}
