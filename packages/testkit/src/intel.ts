/** A made-up Intel for tests: `@donjon/testkit/intel`. */
export { type EcParty, makeEcCrl, makeEcParty } from "./ecdsa-authority.ts";
export { type BadIntelEvidence, badIntelEvidence } from "./intel/bad-evidence.ts";
export { qeIdentityText, signText, tcbInfoText } from "./intel/collateral.ts";
export {
  type IntelEvidence,
  type IntelEvidenceOptions,
  makeIntelEvidence,
  pem,
  quoteCollateralV3,
} from "./intel/evidence.ts";
export { FAKE_QE_SVN, FAKE_TEE_TCB_SVN, type FakeBody, makeQuote } from "./intel/quote.ts";
export {
  encodeSgxExtension,
  FAKE_COMPONENTS,
  FAKE_FMSPC,
  FAKE_PCE_SVN,
} from "./intel/sgx-extension.ts";
export { type FakeIntel, INTEL_NOW, makeFakeIntel, makePck } from "./intel/vendor.ts";
