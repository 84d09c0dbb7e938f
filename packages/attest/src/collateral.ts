/**
 * Fetching what vendors publish, apart from verification: `@donjon/attest/collateral`. What is fetched proves nothing;
 * hand it to `verifySnp`, `verifyTdx` or `verifySgx`.
 */

export { AMD_KDS, type AmdOptions, fetchSnpEndorsements, vcekUrl } from "./collateral/amd.ts";
export {
  fetchIntelCollateral,
  INTEL_PCS,
  INTEL_ROOT_CRL,
  type IntelOptions,
} from "./collateral/intel.ts";
export { type CollateralSource, createSource, type SourceOptions } from "./collateral/source.ts";
export {
  type Answer,
  type CollateralStore,
  createFileStore,
  createMemoryStore,
  type FileAccess,
} from "./collateral/store.ts";
