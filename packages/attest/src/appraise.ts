/** Policies over verified evidence: `@donjon/attest/appraise`. */
export { type Appraisal, appraise, requireAccepted } from "./appraise/appraise.ts";
export { type ClaimChange, diffClaims, formatDiff } from "./appraise/diff.ts";
export { explain } from "./appraise/explain.ts";
export { type Policy, parsePolicy, parsePolicyToml } from "./appraise/policy.ts";
export { POLICY_REASONS, type PolicyReason } from "./appraise/reasons.ts";
export type { SnpPolicy } from "./appraise/snp.ts";
export { type Json, type Plain, plainClaims } from "./plain.ts";
