/** Intel's collateral from files: one `QuoteCollateralV3`, or answers of the PCS under fixed names. */
import { equalBytes } from "@donjon/core/bytes";
import { parseCrl } from "@donjon/core/crl";
import { parseCertificate } from "@donjon/core/x509";
import type { DistinguishedName } from "@donjon/core/x509-fields";
import {
  type IntelCollateral,
  type PcsAnswers,
  parsePcsAnswers,
  parseQuoteCollateralV3,
} from "../intel/collateral.ts";
import { readPckCertificates } from "../intel/pck-certificates.ts";
import { parseQuote } from "../intel/quote.ts";

/** File names of a directory of PCS answers; docs/formats/intel-collateral.md has the same table. */
export const PCS_FILES = {
  rootCrl: ["root-ca-crl.der", "root-ca-crl.pem", "root-ca-crl.hex"],
  pckCrl: ["pck-crl.der", "pck-crl.pem", "pck-crl.hex"],
  tcbInfo: ["tcb.json"],
  tcbInfoIssuerChain: ["tcb-issuer-chain.pem"],
  qeIdentity: ["qe-identity.json"],
  qeIdentityIssuerChain: ["qe-identity-issuer-chain.pem"],
  pckChain: ["pck-chain.pem"],
} as const satisfies Readonly<Record<keyof PcsAnswers, readonly string[]>>;

export type IntelFiles = ReadonlyMap<string, Uint8Array>;

/**
 * Collateral from a directory's files by name; names that mean nothing here are left alone.
 * @throws DonjonError `bytes/*`
 */
export function parseCollateralFiles(files: IntelFiles): IntelCollateral {
  const answers: Record<string, Uint8Array | string> = {};
  for (const [part, names] of Object.entries(PCS_FILES)) {
    const name = names.find((one) => files.has(one));
    if (name === undefined) continue;
    const bytes = files.get(name)!;
    answers[part] = part.endsWith("Crl") ? bytes : new TextDecoder().decode(bytes);
  }
  return parsePcsAnswers(answers as PcsAnswers);
}

/** Collateral in one JSON text. Throws DonjonError `bytes/*`. */
export function parseCollateralText(text: string): IntelCollateral {
  return parseQuoteCollateralV3(text);
}

/**
 * The two lists that a quote needs, of many: by the root, and by the authority of its PCK certificate.
 *
 * @param pckChain the quote's chain, where the quote does not carry it
 */
export function selectIntelCrls(
  ders: readonly Uint8Array[],
  quote: Uint8Array,
  pckChain: readonly Uint8Array[] = quoteChain(quote),
): Pick<IntelCollateral, "rootCrl" | "pckCrl"> {
  const [leaf, authority] = pckChain.map(parseCertificate);
  const by = (name: DistinguishedName | undefined) =>
    ders.find(
      (der) => name !== undefined && equalBytes(parseCrl(der).issuer.encoding, name.encoding),
    );
  const pckCrl = by(leaf?.issuer);
  const rootCrl = by(authority?.issuer);
  return { ...(rootCrl && { rootCrl }), ...(pckCrl && { pckCrl }) };
}

/** The PCK chain inside a quote; empty when the quote only names its platform. */
export function quoteChain(bytes: Uint8Array): readonly Uint8Array[] {
  return readPckCertificates(parseQuote(bytes).certification);
}
