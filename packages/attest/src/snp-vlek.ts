/** The pinned issuers of VLEKs, for the `roots` option of `verifySnp`: `@donjon/attest/snp-vlek`. */
export { AMD_ROOTS_WITH_VLEK } from "./trust/amd-vlek.ts";
