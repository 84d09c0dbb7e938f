/** Why a quote, SGX or TDX, is refused; also the codes of the checks, in the order they are made. */
export const INTEL_REASONS = {
  "intel/quote-limit": "the quote is larger than any quote",
  "intel/quote-version":
    "the quote's version, key type, TEE type or body type is not one that is known",
  "intel/quote-malformed": "the quote cannot be read",
  "intel/tee-type": "the quote is for another TEE than the one asked for",
  "intel/qe-vendor": "the quoting enclave is not Intel's",
  "intel/pck-missing": "the quote only names its platform and no PCK certificate was given",
  "intel/pck-malformed": "the PCK certificate or its chain cannot be read",
  "intel/pck-name": "the PCK certificate or its authority has another name than Intel gives",
  "intel/pck-chain":
    "names of the PCK chain do not connect, a link may not sign, or it does not end in a pinned root",
  "intel/pck-expired": "a certificate of the PCK chain is not valid at the given time",
  "intel/pck-signature": "a certificate of the PCK chain is not signed by the key above it",
  "intel/root-crl-missing": "no CRL of the root was given",
  "intel/root-crl-malformed": "the root's CRL cannot be read",
  "intel/root-crl-signature": "the root's CRL is not signed by the root",
  "intel/root-crl-stale": "the root's CRL is not valid at the given time",
  "intel/pck-crl-missing": "no CRL of the PCK authority was given",
  "intel/pck-crl-malformed": "the PCK authority's CRL cannot be read",
  "intel/pck-crl-signature":
    "the PCK CRL is not signed by the authority that signed the PCK certificate",
  "intel/pck-crl-stale": "the PCK CRL is not valid at the given time",
  "intel/revoked": "a CRL lists a certificate of a chain",
  "intel/tcb-info-missing": "no TCB info was given",
  "intel/tcb-info-malformed": "the TCB info cannot be read",
  "intel/tcb-info-chain":
    "the TCB info's signing chain cannot be read or does not end in a pinned root",
  "intel/tcb-info-signature":
    "the TCB info, or its signer's certificate, is not signed as it must be",
  "intel/tcb-info-expired":
    "the TCB info, or its signer's certificate, is not valid at the given time",
  "intel/tcb-info-mismatch": "the TCB info is for another TEE, FMSPC or PCE-ID",
  "intel/qe-identity-missing": "no QE identity was given",
  "intel/qe-identity-malformed": "the QE identity cannot be read",
  "intel/qe-identity-chain":
    "the QE identity's signing chain cannot be read or does not end in a pinned root",
  "intel/qe-identity-signature":
    "the QE identity, or its signer's certificate, is not signed as it must be",
  "intel/qe-identity-expired":
    "the QE identity, or its signer's certificate, is not valid at the given time",
  "intel/qe-report-signature": "the quoting enclave's report is not signed by the PCK",
  "intel/qe-report-binding": "the quoting enclave's report does not bind the attestation key",
  "intel/qe-identity-mismatch": "the quoting enclave is not the one that the QE identity describes",
  "intel/quote-signature": "the quote is not signed by the attestation key",
  "intel/tcb-not-supported":
    "no TCB level covers the platform, its quoting enclave or its TDX module",
  "intel/tcb-revoked":
    "the TCB level of the platform, its quoting enclave or its TDX module is revoked",
} as const;

export type IntelReason = keyof typeof INTEL_REASONS;
