/** Why a Nitro attestation document is refused; also the codes of the checks, in the order they are made. */
export const NITRO_REASONS = {
  "nitro/limit": "the document is larger than any document",
  "nitro/malformed": "the document is no COSE_Sign1 with the fields of the specification",
  "nitro/algorithm": "the document is not signed with ES384",
  "nitro/certificate-malformed": "a certificate in the document cannot be read",
  "nitro/root": "the chain does not start at the pinned root",
  "nitro/chain": "names of the chain do not connect, or a link may not sign",
  "nitro/certificate-expired": "a certificate is not valid at the given time",
  "nitro/certificate-signature": "a certificate is not signed by the key above it",
  "nitro/signature": "the document is not signed by its certificate's key",
} as const;

export type NitroReason = keyof typeof NITRO_REASONS;
