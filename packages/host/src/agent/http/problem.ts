/** Failures as problem+json (RFC 9457). */
import { DonjonError, type ErrorCode } from "@donjon/core/errors";
import type { Problem } from "@donjon/protocol/agent/problem";

/** Codes that are not 500. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  "agent/protocol": 400,
  "agent/unauthorized": 401,
  "agent/forbidden": 403,
  "agent/not-found": 404,
  "agent/conflict": 409,
  "agent/state": 409,
  "agent/limit": 429,
  "bytes/limit": 413,
  "gate/protocol": 400,
  "gate/refused": 422,
  "backend/unavailable": 422,
  "keep/lost": 410,
};

const TITLES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  410: "Gone",
  413: "Content Too Large",
  422: "Unprocessable Content",
  426: "Upgrade Required",
  429: "Too Many Requests",
  500: "Internal Server Error",
};

/**
 * A defect says only where to look: its sentence may hold what is not for callers. `wanted`: a status that the error's code
 * does not say.
 */
export function createProblem(error: unknown, requestId: string, wanted?: number): Problem {
  const known = error instanceof DonjonError && error.code !== "internal";
  const code = known ? error.code : "internal";
  const status = wanted ?? STATUS[code] ?? 500;
  const detail = known
    ? error.message
    : `the agent failed; its log says why at the request ${requestId}`;
  return { type: "about:blank", title: titleOf(status), status, detail, code };
}

export function titleOf(status: number): string {
  return TITLES[status] ?? "Error";
}
