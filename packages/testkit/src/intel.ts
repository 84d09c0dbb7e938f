/** A made-up Intel for tests: `@donjon/testkit/intel`. */

export { encodePem as pem } from "@donjon/simtee/intel/pem";
export { encodeSgxExtension } from "@donjon/simtee/intel/sgx-extension";
export { type EcParty, makeEcCrl, makeEcParty } from "./ecdsa-authority.ts";
export { type BadIntelEvidence, badIntelEvidence } from "./intel/bad-evidence.ts";
export { qeIdentityText, signText, tcbInfoText } from "./intel/collateral.ts";
export {
  type IntelEvidence,
  type IntelEvidenceOptions,
  makeIntelEvidence,
  quoteCollateralV3,
} from "./intel/evidence.ts";
export {
  FAKE_COMPONENTS,
  FAKE_FMSPC,
  FAKE_PCE_SVN,
  FAKE_QE_SVN,
  FAKE_TEE_TCB_SVN,
} from "./intel/platform.ts";
export { type FakeBody, makeQuote } from "./intel/quote.ts";
export { type FakeIntel, INTEL_NOW, makeFakeIntel, makePck } from "./intel/vendor.ts";
