import { parseChainBytes } from "./collateral.ts";
import type { CertificationData } from "./quote.ts";

/** Certification data that is the chain itself (Intel SGX/TDX DCAP, quote format, table 9). */
const PCK_CHAIN = 5;

/** The PCK chain that a quote carries, DER, PCK first; empty when it only names its platform. Throws DonjonError `bytes/*`. */
export function readPckCertificates({ type, data }: CertificationData): readonly Uint8Array[] {
  return type === PCK_CHAIN ? parseChainBytes(data) : [];
}
