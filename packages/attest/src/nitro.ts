/** AWS Nitro Enclaves and NitroTPM: `@donjon/attest/nitro`. Brings no code for other TEEs. */
export { AttestError } from "./attest-error.ts";
export type { Check } from "./check.ts";
export { type NitroDocument, parseNitroDocument } from "./nitro/document.ts";
export { NITRO_REASONS, type NitroReason } from "./nitro/reasons.ts";
export {
  type NitroClaims,
  type NitroVerifyOptions,
  type VerifiedNitro,
  verifyNitro,
} from "./nitro/verify.ts";
export { NITRO_ROOT_G1, type NitroRoot } from "./trust/nitro.ts";
export type { Anchor, Verified, VerifyOptions } from "./verified.ts";
export { VerifyCache } from "./verify-cache.ts";
