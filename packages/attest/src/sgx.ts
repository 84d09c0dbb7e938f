/** Intel SGX: `@donjon/attest/sgx`. Brings no code for other TEEs. */
export { AttestError } from "./attest-error.ts";
export type { Check } from "./check.ts";
export * from "./intel.ts";
export { ENCLAVE_ATTRIBUTES, type SgxClaims } from "./sgx/claims.ts";
export { type VerifiedSgx, verifySgx } from "./sgx/verify.ts";
export type { Anchor, Verified, VerifyOptions } from "./verified.ts";
export { VerifyCache } from "./verify-cache.ts";
