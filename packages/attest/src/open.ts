/** Files of any kind, told by their content: `@donjon/attest/open`. Reading proves nothing; brings the code of every TEE. */
export {
  type IntelFiles,
  PCS_FILES,
  parseCollateralFiles,
  parseCollateralText,
} from "./open/collateral.ts";
export { type Endorsements, mergeEndorsements, openEndorsement } from "./open/endorsement.ts";
export { openEvidence } from "./open/open-evidence.ts";
export type { Carrier, OpenedEvidence } from "./open/opened.ts";
export { readUnverified } from "./open/unverified.ts";
export { reportDataOf } from "./report-data.ts";
