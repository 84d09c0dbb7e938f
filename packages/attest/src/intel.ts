/** What SGX and TDX share: quotes as such, and Intel's collateral. */
export type { PlatformClaims, QuotingEnclaveClaims, TcbClaims } from "./intel/claims.ts";
export {
  type IntelCollateral,
  type PcsAnswers,
  parsePcsAnswers,
  parseQuoteCollateralV3,
  type SignedJson,
} from "./intel/collateral.ts";
export { type PckExtension, parsePckExtension } from "./intel/pck-extension.ts";
export { parseQuote, type Quote, type QuoteBodyKind, type TeeType } from "./intel/quote.ts";
export { INTEL_REASONS, type IntelReason } from "./intel/reasons.ts";
export { TCB_STATUSES, type TcbStatus } from "./intel/tcb-status.ts";
export type { IntelRelaxation, IntelVerifyOptions } from "./intel/verify-quote.ts";
export { INTEL_SGX_ROOT, type IntelRoot } from "./trust/intel.ts";
