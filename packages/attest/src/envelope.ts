/** What evidence and results travel in: `@donjon/attest/envelope`. */
export {
  BUNDLE_FORMAT,
  type Bundle,
  type BundleOptions,
  encodeBundle,
  makeBundle,
  parseBundle,
  verifyBundle,
} from "./envelope/bundle.ts";
export {
  CMW_INDICATOR,
  CMW_OID,
  type Cmw,
  type CmwCollection,
  type CmwRecord,
  encodeCmwCbor,
  encodeCmwJson,
  encodeCmwTag,
  parseCmwCbor,
  parseCmwJson,
  readCmwExtension,
} from "./envelope/cmw.ts";
export {
  DEPLOYED_EAR_PROFILES,
  EAR_PROFILE,
  type Ear,
  type EarOptions,
  type EarSubmodule,
  encodeEar,
  parseEar,
  signEar,
  TIERS,
  type Tier,
  type TrustVector,
  verifyEar,
} from "./envelope/ear.ts";
export {
  type EvidenceRequest,
  parseEvidenceRequest,
  type StapledSgx,
  type StapledSnp,
  verifyRequestBinding,
} from "./envelope/evidence-request.ts";
export {
  QUOTE_OIDS,
  readQuoteExtension,
  verifyQuoteBinding,
} from "./envelope/quote-certificate.ts";
export {
  RA_TLS_OID,
  type RaTlsEvidence,
  readRaTlsExtension,
  verifyRaTlsBinding,
} from "./envelope/ra-tls.ts";
