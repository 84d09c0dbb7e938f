/** Is it genuine? TDX quotes, versions 4 and 5. */
import { unknownBits } from "@donjon/core/bits";
import type { TcbClaims } from "../intel/claims.ts";
import type { IntelCollateral } from "../intel/collateral.ts";
import {
  type AppliedLevels,
  convergeLevels,
  findTcbLevel,
  summarizeTcb,
} from "../intel/evaluate-tcb.ts";
import { decodeFlags, readFlags } from "../intel/flags.ts";
import { requireLevel, requireNotRevokedTcb, requireQeLevel } from "../intel/level-checks.ts";
import { readQuoteClaims } from "../intel/platform.ts";
import type { IsvTcbLevel, TcbInfo } from "../intel/tcb-info.ts";
import { relaunchTcbStatus } from "../intel/tcb-status.ts";
import { type IntelVerifyOptions, type ProvenQuote, verifyQuote } from "../intel/verify-quote.ts";
import { proven, type Verified } from "../verified.ts";
import { parseTdReport, type TdReport, type TdxClaims } from "./claims.ts";
import { TD_ATTRIBUTES } from "./layouts.ts";
import { requireModule, requireModuleLevel } from "./module.ts";

export type VerifiedTdx = Verified<"tdx", TdxClaims>;

/**
 * Proves that a quote was made for a TD on an Intel platform with Intel's TDX module, and says how good that
 * platform's TCB is. Offline.
 *
 * @param bytes the quote; octets after it are counted in the claims
 * @throws AttestError `evidence/malformed` or `evidence/refused`, with one of `INTEL_REASONS` or `TDX_REASONS`
 */
export async function verifyTdx(
  bytes: Uint8Array,
  collateral: IntelCollateral,
  options: IntelVerifyOptions,
): Promise<VerifiedTdx> {
  const found = await verifyQuote("tdx", bytes, collateral, options);
  const { quote, checks } = found;
  const td = parseTdReport(quote);
  return proven({
    kind: "tdx",
    claims: {
      ...readQuoteClaims(found),
      bodyKind: quote.bodyKind as TdxClaims["bodyKind"],
      td,
      attributes: decodeFlags(TD_ATTRIBUTES, td.tdAttributes),
      unknownAttributes: unknownBits(TD_ATTRIBUTES, readFlags(td.tdAttributes)),
      tcb: evaluateTcb(found, td),
    },
    anchor: found.anchor,
    at: options.now,
    checks: checks.checks,
  });
}

function evaluateTcb(found: ProvenQuote, td: TdReport): TcbClaims | undefined {
  const { tcbInfo, qeIdentity, checks, expiresMs } = found;
  const qe = requireQeLevel(found);
  if (tcbInfo === undefined) return undefined;
  requireModule(tcbInfo, td, checks);
  const launch = requireLevels(found, tcbInfo, td.teeTcbSvn, qe);
  const launchStatus = convergeLevels(launch);
  requireNotRevokedTcb(checks, launchStatus);
  if (td.teeTcbSvn2 === undefined) {
    return summarizeTcb(launchStatus, launch, tcbInfo, qeIdentity, expiresMs);
  }
  // TD 1.5: the module may have been updated under the running TD; then launching it again is all that is needed.
  const currentStatus = convergeLevels(requireLevels(found, tcbInfo, td.teeTcbSvn2, qe));
  requireNotRevokedTcb(checks, currentStatus);
  const status = relaunchTcbStatus(launchStatus, currentStatus);
  return summarizeTcb(status, launch, tcbInfo, qeIdentity, expiresMs);
}

function requireLevels(
  { pck, checks }: ProvenQuote,
  info: TcbInfo,
  teeTcbSvn: Uint8Array,
  qe: IsvTcbLevel | undefined,
): AppliedLevels {
  const platform = requireLevel(checks, "platform", findTcbLevel(info, pck, teeTcbSvn));
  return { platform, qe, module: requireModuleLevel(info, teeTcbSvn, checks) };
}
