import { DonjonError } from "@donjon/core/errors";
import { type ExplainFault, formatPath } from "./fault.ts";
import { findPosition } from "./position.ts";

/** With line and column, for authors; not in the Keep, which reads what a client has checked. */
export const locateFault: ExplainFault = (fault, text, file) => {
  const { line, column } = findPosition(text, fault.path, fault.at);
  return new DonjonError(fault.code, `${file}:${line}:${column}: ${fault.message}`, {
    details: { file, line, column, key: formatPath(fault.path) },
  });
};
