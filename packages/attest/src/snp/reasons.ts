/** Why SEV-SNP evidence is refused; also the codes of the checks, in the order they are made. */
export const SNP_REASONS = {
  "snp/length": "the report is not 1184 octets, or octets follow it",
  "snp/version": "the report's version is not one that is known, and the caller did not allow it",
  "snp/reserved": "reserved octets or bits are in use",
  "snp/signature-algorithm": "the signature algorithm is not 1 (ECDSA P-384 with SHA-384)",
  "snp/certificate-table": "the certificate table cannot be read",
  "snp/certificate-missing": "no VCEK or VLEK certificate came with the report",
  "snp/certificate-malformed": "a certificate cannot be read",
  "snp/certificate-extensions":
    "the VCEK or VLEK certificate's AMD extensions are missing, wrong or contradictory",
  "snp/signer-kind":
    "the key that the report names as signer is not the kind the certificate is for",
  "snp/product-unknown":
    "the certificate's product, or the CPUID in the report, is none that has a pinned root",
  "snp/root": "the chain does not end in the pinned ARK of the product",
  "snp/chain": "issuer and subject names of the chain do not connect, or a link may not sign",
  "snp/certificate-algorithm":
    "a certificate or CRL is not signed with RSASSA-PSS, SHA-384, salt 48",
  "snp/certificate-signature": "a certificate's signature is not by the key above it",
  "snp/certificate-expired": "a certificate is not valid at the given time",
  "snp/crl-missing": "no CRL of the product was given",
  "snp/crl-malformed": "the CRL cannot be read",
  "snp/crl-signature": "the CRL is not signed by the product's ARK",
  "snp/crl-stale": "the CRL is not valid at the given time",
  "snp/revoked": "the CRL lists a certificate of the chain",
  "snp/tcb-mismatch": "the certificate's TCB differs from the report's REPORTED_TCB in a component",
  "snp/chip-id": "the certificate's HWID differs from the report's CHIP_ID",
  "snp/product-mismatch": "the certificate's product differs from the CPUID in the report",
  "snp/signature": "the report's signature is not by the certificate's key",
} as const;

export type SnpReason = keyof typeof SNP_REASONS;
