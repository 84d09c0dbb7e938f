/** Files that stand beside evidence: certificates, revocation lists, chains of them, certificate tables of hosts. */
import { attempt } from "@donjon/core/attempt";
import { parseCrl } from "@donjon/core/crl";
import { DonjonError } from "@donjon/core/errors";
import { decodePemBlocks, looksLikePem } from "@donjon/core/pem";
import { parseCertificate } from "@donjon/core/x509";
import { envelopeError } from "../envelope/envelope-error.ts";
import type { IntelCollateral } from "../intel/collateral.ts";
import { tableEndorsements } from "../snp/certificate-table.ts";
import type { EvidenceSet } from "../verify.ts";
import { quoteChain, selectIntelCrls } from "./collateral.ts";

/** DER. */
export interface Endorsements {
  readonly certificates: readonly Uint8Array[];
  readonly crls: readonly Uint8Array[];
}

const SEQUENCE = 0x30;

/**
 * Reads PEM certificates and lists in any order, one of them in DER, or a certificate table.
 * @throws DonjonError `evidence/malformed`, `bytes/*`
 */
export function openEndorsement(bytes: Uint8Array): Endorsements {
  if (looksLikePem(bytes)) {
    const blocks = decodePemBlocks(new TextDecoder("latin1").decode(bytes));
    const other = blocks.find(({ label }) => label !== "CERTIFICATE" && label !== "X509 CRL");
    if (other !== undefined) throw unknown(`a PEM block of '${other.label}'`);
    const of = (wanted: string) =>
      blocks.filter(({ label }) => label === wanted).map((block) => block.bytes);
    return { certificates: of("CERTIFICATE"), crls: of("X509 CRL") };
  }
  if (bytes[0] === SEQUENCE) {
    if (attempt(() => parseCertificate(bytes))) return { certificates: [bytes], crls: [] };
    if (attempt(() => parseCrl(bytes))) return { certificates: [], crls: [bytes] };
    throw unknown("DER that is neither");
  }
  return openTable(bytes);
}

function openTable(bytes: Uint8Array): Endorsements {
  try {
    const { certificates, crls = [] } = tableEndorsements(bytes);
    if (certificates.length + crls.length > 0) return { certificates, crls };
  } catch (cause) {
    if (!(cause instanceof DonjonError)) throw cause;
    throw unknown(`${bytes.length} octets of neither`, cause);
  }
  throw unknown("a certificate table without certificates");
}

/** Evidence with more beside it. What came with the evidence stays first. */
export function mergeEndorsements(
  set: EvidenceSet,
  { certificates, crls }: Endorsements,
  collateral: IntelCollateral = {},
): EvidenceSet {
  if (set.kind === "snp") {
    return {
      ...set,
      certificates: [...(set.certificates ?? []), ...certificates],
      crls: [...(set.crls ?? []), ...crls],
    };
  }
  if (set.kind === "nitro") return set;
  const inside = quoteChain(set.evidence);
  const pckChain =
    inside.length > 0 ? {} : certificates.length > 0 ? { pckChain: certificates } : {};
  const path = inside.length > 0 ? inside : (collateral.pckChain ?? certificates);
  return {
    ...set,
    collateral: {
      ...set.collateral,
      ...pckChain,
      ...selectIntelCrls(crls, set.evidence, path),
      ...collateral,
    },
  };
}

function unknown(found: string, cause?: unknown): DonjonError {
  return envelopeError(
    "the endorsement",
    found,
    "certificates or revocation lists in PEM or DER, or a certificate table",
    cause,
  );
}
