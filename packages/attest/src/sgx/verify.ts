/** Is it genuine? SGX quotes, version 3, and bodies of type SGX in versions 4 and 5. */
import { type Decoded, decodeLayout } from "@donjon/core/layout";
import type { TcbClaims } from "../intel/claims.ts";
import type { IntelCollateral } from "../intel/collateral.ts";
import { convergeLevels, findTcbLevel, summarizeTcb } from "../intel/evaluate-tcb.ts";
import { decodeFlags } from "../intel/flags.ts";
import { ENCLAVE_REPORT } from "../intel/layouts.ts";
import { requireLevel, requireNotRevokedTcb, requireQeLevel } from "../intel/level-checks.ts";
import { readQuoteClaims } from "../intel/platform.ts";
import { type IntelVerifyOptions, type ProvenQuote, verifyQuote } from "../intel/verify-quote.ts";
import { proven, type Verified } from "../verified.ts";
import { ENCLAVE_ATTRIBUTES, type SgxClaims } from "./claims.ts";

export type VerifiedSgx = Verified<"sgx", SgxClaims>;

/**
 * Proves that a quote was made for an enclave on an Intel platform, and says how good that platform's TCB is. Offline.
 *
 * @param bytes the quote; octets after it are counted in the claims
 * @throws AttestError `evidence/malformed` or `evidence/refused`, with one of `INTEL_REASONS`
 */
export async function verifySgx(
  bytes: Uint8Array,
  collateral: IntelCollateral,
  options: IntelVerifyOptions,
): Promise<VerifiedSgx> {
  const found = await verifyQuote("sgx", bytes, collateral, options);
  const enclave: Decoded<typeof ENCLAVE_REPORT> = found.checks.attempt(
    "intel/quote-malformed",
    "an SGX report body",
    () => decodeLayout(ENCLAVE_REPORT, found.quote.body),
  );
  return proven({
    kind: "sgx",
    claims: {
      ...readQuoteClaims(found),
      enclave,
      attributes: decodeFlags(ENCLAVE_ATTRIBUTES, enclave.attributes),
      tcb: evaluateTcb(found),
    },
    anchor: found.anchor,
    at: options.now,
    checks: found.checks.checks,
  });
}

function evaluateTcb(found: ProvenQuote): TcbClaims | undefined {
  const { tcbInfo, qeIdentity, pck, checks, expiresMs } = found;
  const qe = requireQeLevel(found);
  if (tcbInfo === undefined) return undefined;
  const platform = requireLevel(checks, "platform", findTcbLevel(tcbInfo, pck));
  const levels = { platform, qe, module: undefined };
  const status = convergeLevels(levels);
  requireNotRevokedTcb(checks, status);
  return summarizeTcb(status, levels, tcbInfo, qeIdentity, expiresMs);
}
