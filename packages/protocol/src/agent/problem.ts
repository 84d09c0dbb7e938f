/** Failures of an agent as they travel: RFC 9457 (problem+json) with Donjon's error code. */
import { DonjonError, ERROR_CODES, type ErrorCode } from "@donjon/core/errors";

export const PROBLEM_TYPE = "application/problem+json";
/** Value of `Upgrade` for a session with a Keep. */
export const SESSION_UPGRADE = "donjon-session";

/** Characters of a sentence that are shown. */
const MAX_DETAIL = 4096;

export interface Problem {
  readonly type: "about:blank";
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** An `ErrorCode`. */
  readonly code: ErrorCode;
}

/** The agent's failure as an error; anything that is not a problem becomes `agent/protocol`. */
export function parseProblem(status: number, body: string): DonjonError {
  try {
    const { code, detail } = JSON.parse(body) as Record<string, unknown>;
    const known = ERROR_CODES.find((each) => each === code);
    if (known !== undefined && typeof detail === "string" && detail.isWellFormed())
      return new DonjonError(known, detail.slice(0, MAX_DETAIL), { details: { status } });
  } catch {
    // falls through to the one message
  }
  return new DonjonError(
    "agent/protocol",
    `the agent answered with the status ${status} and no reason that can be read; is it a Donjon agent of this version?`,
    { details: { status } },
  );
}
