import { DonjonError } from "@donjon/core/errors";
import type { Check } from "./check.ts";
import type { ReasonCode } from "./reason.ts";

export interface AttestErrorOptions {
  readonly cause?: unknown;
  /** Every check made so far, the failed one last. */
  readonly checks?: readonly Check[];
}

/**
 * Evidence that is not well formed (`evidence/malformed`) or not genuine (`evidence/refused`).
 * `reason` says precisely why, in a stable code such as `snp/tcb-mismatch`.
 */
export class AttestError extends DonjonError {
  readonly reason: ReasonCode;
  readonly checks: readonly Check[];

  constructor(
    code: "evidence/malformed" | "evidence/refused",
    reason: ReasonCode,
    message: string,
    options: AttestErrorOptions = {},
  ) {
    super(code, message, { cause: options.cause, details: { reason } });
    this.name = "AttestError";
    this.reason = reason;
    this.checks = options.checks ?? [];
  }
}
