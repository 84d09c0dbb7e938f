/** Intel TDX: `@donjon/attest/tdx`. Brings no code for other TEEs. */
export { AttestError } from "./attest-error.ts";
export type { Check } from "./check.ts";
export * from "./intel.ts";
export { parseTdReport, type TdReport, type TdxClaims } from "./tdx/claims.ts";
export { TD_ATTRIBUTES } from "./tdx/layouts.ts";
export { TDX_REASONS, type TdxReason } from "./tdx/reasons.ts";
export { type VerifiedTdx, verifyTdx } from "./tdx/verify.ts";
export type { Anchor, Verified, VerifyOptions } from "./verified.ts";
export { VerifyCache } from "./verify-cache.ts";
