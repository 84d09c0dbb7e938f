/** AMD SEV-SNP: `@donjon/attest/snp`. Brings no code for other TEEs. */
export { AttestError } from "./attest-error.ts";
export type { Check } from "./check.ts";
export {
  parseCertificateTable,
  TABLE_GUID,
  type TableEntry,
  tableEndorsements,
} from "./snp/certificate-table.ts";
export { parseSnpCertificate, type SignerKind, type SnpCertificate } from "./snp/certs.ts";
export type { FirmwareVersion, SnpClaims } from "./snp/claims.ts";
export { SNP_REASONS, type SnpReason } from "./snp/reasons.ts";
export {
  parseReport,
  REPORT_BYTES,
  reportProduct,
  type SnpParseRelaxation,
  type SnpReport,
} from "./snp/report.ts";
export { decodeTcb, encodeTcb, formatTcb, type Tcb } from "./snp/tcb.ts";
export {
  type SnpEndorsements,
  type SnpRelaxation,
  type SnpVerifyOptions,
  type VerifiedSnp,
  verifySnp,
} from "./snp/verify.ts";
export { AMD_ROOTS, type AmdAuthority, type AmdProductName, type AmdRoot } from "./trust/amd.ts";
export type { Anchor, Verified, VerifyOptions } from "./verified.ts";
export { VerifyCache } from "./verify-cache.ts";
