/** Checks on TCB levels, shared by SGX and TDX. */
import type { CheckList } from "../check.ts";
import { findIsvLevel } from "./evaluate-tcb.ts";
import type { IsvTcbLevel } from "./tcb-info.ts";
import type { TcbStatus } from "./tcb-status.ts";
import type { ProvenQuote } from "./verify-quote.ts";

/** The level of the quoting enclave; `undefined` without QE identity. */
export function requireQeLevel({
  quote,
  qeIdentity,
  checks,
}: ProvenQuote): IsvTcbLevel | undefined {
  if (qeIdentity === undefined) return undefined;
  return requireLevel(
    checks,
    "quoting enclave",
    findIsvLevel(qeIdentity.levels, quote.qeReport.isvSvn),
  );
}

/** Requires that a level was found: a platform below every level that Intel lists is not supported. */
export function requireLevel<T>(checks: CheckList, what: string, level: T | undefined): T {
  const wanted = `a TCB level that the ${what} reaches`;
  checks.require(
    "intel/tcb-not-supported",
    level !== undefined,
    wanted,
    level === undefined ? "none" : "one",
  );
  return level as T;
}

/** Revoked means that the keys are no longer worth anything; no policy can accept that. */
export function requireNotRevokedTcb(checks: CheckList, status: TcbStatus): void {
  checks.require("intel/tcb-revoked", status !== "Revoked", "a TCB that is not revoked", status);
}
