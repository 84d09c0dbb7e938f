/**
 * The one error class of Donjon. Every failure that Donjon itself can name carries a code from a
 * closed union, a sentence that says what was found, what was wanted and what to do, and a cause.
 *
 * Caller mistakes (a wrong argument type) are `TypeError` and `RangeError`, never this class.
 */

/** Stable codes, by area. A code is never renamed or reused; new codes are added at the end of an area. */
export const ERROR_CODES = [
  // input that is not well formed
  "bytes/truncated",
  "bytes/trailing",
  "bytes/limit",
  "bytes/invalid",
  // the manifest
  "manifest/syntax",
  "manifest/unknown-key",
  "manifest/value",
  "manifest/digest",
  // evidence, and policies over it; the reason is in `AttestError.reason` (packages/attest)
  "evidence/malformed",
  "evidence/refused",
  "policy/syntax",
  "policy/unknown-key",
  "policy/value",
  // fetching what vendors publish about their hardware
  "collateral/unavailable",
  "collateral/answer",
  "collateral/limit",
  // the workload
  "workload/not-found",
  "workload/invalid",
  "workload/unsupported",
  "workload/limit",
  // the gate and the session
  "gate/protocol",
  "gate/limit",
  "gate/refused",
  "gate/closed",
  "session/protocol",
  "session/limit",
  "session/refused",
  "session/closed",
  "session/timeout",
  // the Keep and its backends
  "keep/start",
  "keep/lost",
  "keep/state",
  "keep/stuck",
  "backend/unavailable",
  "backend/unprotected",
  // launch measurements computed beforehand
  "measure/firmware",
  "measure/unsupported",
  // the agent on the host: nobody there, not well formed, who calls, what they may, what there is
  "agent/unreachable",
  "agent/protocol",
  "agent/unauthorized",
  "agent/forbidden",
  "agent/limit",
  "agent/not-found",
  "agent/conflict",
  "agent/state",
  // the Keep image and what it is built from
  "image/lock",
  "image/packages",
  "image/missing",
  "image/changed",
  // the owner's files
  "files/read",
  "files/write",
  "files/limit",
  "files/conflict",
  // the command line
  "usage",
  // a defect of Donjon
  "internal",
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

export interface DonjonErrorOptions {
  readonly cause?: unknown;
  /** Structured facts for `--json`: what was found, what was wanted. Never secrets. */
  readonly details?: Readonly<Record<string, string | number | boolean | null>>;
}

export class DonjonError extends Error {
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, string | number | boolean | null>>;

  constructor(code: ErrorCode, message: string, options: DonjonErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "DonjonError";
    this.code = code;
    this.details = options.details ?? {};
  }
}
