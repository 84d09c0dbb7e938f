/** Collateral for real quotes, put together from the files of several sources. */

import { parseEcdsaSignature } from "@donjon/core/ecdsa";
import { decodePem } from "@donjon/core/pem";
import {
  type IntelCollateral,
  parsePcsAnswers,
  parseQuoteCollateralV3,
} from "../../src/intel/collateral.ts";
import { readVector, readVectorText } from "../vectors.ts";

export const LUNAL = "lunal-attestation-rs/tdx/collateral";
const FORTANIX = "rust-sgx/pcs";

export interface Sources {
  /** Answers of the PCS by path; Fortanix's wrapping is undone. */
  readonly tcbInfo?: string;
  readonly qeIdentity?: string;
  readonly pckCrl?: string;
  /** Undo the indentation that the source added: the signature is over the text as Intel sent it. */
  readonly compact?: boolean;
  /** Whose root CRL: issued in March 2025 or February 2026. */
  readonly rootCrl?: 2025 | 2026;
}

export function quoteCollateral(path: string): IntelCollateral {
  return parseQuoteCollateralV3(readVectorText(path));
}

/** Signing chains stand in the bundle of dcap-qvl (2025) and in lunal's folder (2026). */
export function collateralFrom(sources: Sources): IntelCollateral {
  const { tcbInfo, qeIdentity, pckCrl, rootCrl, compact = false } = sources;
  const bundle = quoteCollateral("dcap-qvl/tdx_quote_collateral.json");
  const { tcbInfoIssuerChain } = bundle;
  const rest = parsePcsAnswers({
    pckCrl: pckCrl === undefined ? undefined : readCrl(pckCrl),
    rootCrl: rootCrl === 2026 ? readVector(`${LUNAL}/root_ca_crl.der`) : rootCrl && bundle.rootCrl,
  });
  return {
    rootCrl: rest.rootCrl,
    pckCrl: rest.pckCrl,
    ...(tcbInfo === undefined
      ? {}
      : signed(tcbInfo, "tcbInfo", "raw_tcb_info", tcbInfoIssuerChain!, compact)),
    ...(qeIdentity === undefined
      ? {}
      : signed(qeIdentity, "qeIdentity", "raw_enclave_identity", tcbInfoIssuerChain!)),
  };
}

/** One signed answer as collateral; Fortanix keeps text, DER signature and chain apart. */
function signed(
  path: string,
  name: "tcbInfo" | "qeIdentity",
  raw: string,
  chain: readonly Uint8Array[],
  compact = false,
): IntelCollateral {
  const file = readVectorText(path);
  const text = compact ? JSON.stringify(JSON.parse(file)) : file;
  if (!path.startsWith(FORTANIX) || path.endsWith(".json")) {
    return { [name]: parsePcsAnswers({ [name]: text })[name], [`${name}IssuerChain`]: chain };
  }
  const wrapped = JSON.parse(text);
  return {
    [name]: {
      text: wrapped[raw],
      signature: parseEcdsaSignature(Uint8Array.from(wrapped.signature), 32),
    },
    [`${name}IssuerChain`]: decodePem(wrapped.ca_chain.join("\n"), "CERTIFICATE"),
  };
}

function readCrl(path: string): Uint8Array | string {
  return path.endsWith(".crl") ? JSON.parse(readVectorText(path)).crl : readVector(path);
}
