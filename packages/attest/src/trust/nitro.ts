/** AWS's trust root for Nitro Enclaves and NitroTPM attestation documents, as facts in place of its certificate. */

export interface NitroRoot {
  readonly commonName: string;
  /** SHA-256 of the DER certificate, lower-case hexadecimal: the documents carry the root, so its octets are pinned. */
  readonly certificateSha256: string;
}

/**
 * Root G1, valid from 2019-10-28 to 2049-10-28.
 * Source: https://docs.aws.amazon.com/enclaves/latest/user/verify-root.html, which prints this certificate's fingerprint.
 */
export const NITRO_ROOT_G1: NitroRoot = {
  commonName: "aws.nitro-enclaves",
  certificateSha256: "641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b",
};
