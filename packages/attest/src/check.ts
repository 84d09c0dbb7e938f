import { DonjonError } from "@donjon/core/errors";
import { AttestError } from "./attest-error.ts";
import type { ReasonCode } from "./reason.ts";

/** One question that was asked of evidence, and its answer. */
export interface Check {
  /** Stable; the same code is the reason when the check fails. */
  readonly code: ReasonCode;
  readonly wanted: string;
  readonly found: string;
  readonly ok: boolean;
  /** The caller's option that let a failed check pass; absent otherwise. */
  readonly allowed?: string;
}

/** The checks of one verification, in the order made. The first that fails ends it. */
export class CheckList {
  readonly #checks: Check[] = [];
  readonly #allow: ReadonlySet<string>;

  /** @param allow names of the relaxations the caller asked for */
  constructor(allow: readonly string[] = []) {
    this.#allow = new Set(allow);
  }

  get checks(): readonly Check[] {
    return this.#checks;
  }

  allows(relaxation: string): boolean {
    return this.#allow.has(relaxation);
  }

  /** Is it genuine? @throws AttestError `evidence/refused` with reason `code` when not `ok` */
  require(code: ReasonCode, ok: boolean, wanted: string, found: string): void {
    this.#checks.push({ code, wanted, found, ok });
    if (!ok) throw this.#refusal("evidence/refused", code, wanted, found);
  }

  /** Is it well formed? @throws AttestError `evidence/malformed` with reason `code` when not `ok` */
  requireForm(code: ReasonCode, ok: boolean, wanted: string, found: string): void {
    this.#checks.push({ code, wanted, found, ok });
    if (!ok) throw this.#refusal("evidence/malformed", code, wanted, found);
  }

  /** A check that failed and passes because the caller allowed `relaxation` by name. Without that it throws as `require` does. */
  relax(relaxation: string, code: ReasonCode, wanted: string, found: string): void {
    if (!this.allows(relaxation)) this.require(code, false, wanted, found);
    else this.#checks.push({ code, wanted, found, ok: true, allowed: relaxation });
  }

  /** The result of `read`; a DonjonError that it throws becomes `evidence/malformed` with reason `code`. */
  attempt<T>(code: ReasonCode, wanted: string, read: () => T): T {
    try {
      return read();
    } catch (cause) {
      if (!(cause instanceof DonjonError) || cause instanceof AttestError) throw cause;
      this.#checks.push({ code, wanted, found: cause.message, ok: false });
      throw this.#refusal("evidence/malformed", code, wanted, cause.message, cause);
    }
  }

  #refusal(
    error: "evidence/malformed" | "evidence/refused",
    reason: ReasonCode,
    wanted: string,
    found: string,
    cause?: unknown,
  ): AttestError {
    return new AttestError(
      error,
      reason,
      `Cannot accept this evidence: found ${found}, wanted ${wanted}`,
      {
        cause,
        checks: this.#checks,
      },
    );
  }
}
