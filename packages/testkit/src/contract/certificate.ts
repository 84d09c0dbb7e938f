/** A certificate that nobody vouches for, as a TLS server of a test needs one. */
import { createIdentity } from "@donjon/keep/identity/identity";

export function createCertificate(): { readonly certificate: string; readonly key: string } {
  const { certificatePem, keyPem } = createIdentity(Date.now());
  return { certificate: certificatePem, key: keyPem };
}
