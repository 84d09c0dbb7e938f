import assert from "node:assert/strict";
import { AttestError } from "../src/attest-error.ts";
import type { ReasonCode } from "../src/reason.ts";

/** For `assert.rejects` and `assert.throws`: an AttestError, with one of `reasons` unless none is given. */
export function refusal(...reasons: readonly ReasonCode[]): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof AttestError, `wanted an AttestError, found ${error}`);
    if (reasons.length > 0)
      assert.ok(
        reasons.includes(error.reason),
        `wanted ${reasons}, found ${error.reason}: ${error.message}`,
      );
    return true;
  };
}
