/** What the library throws: `@donjon/attest/errors`. */
export { DonjonError, ERROR_CODES, type ErrorCode } from "@donjon/core/errors";
export { AttestError } from "./attest-error.ts";
