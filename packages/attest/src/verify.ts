/** Any kind of evidence, by its kind: brings the code of every TEE. Who needs one kind imports that one alone. */

import type { IntelCollateral } from "./intel/collateral.ts";
import type { IntelRelaxation } from "./intel/verify-quote.ts";
import { verifyNitro } from "./nitro/verify.ts";
import { verifySgx } from "./sgx/verify.ts";
import { type SnpRelaxation, verifySnp } from "./snp/verify.ts";
import { verifyTdx } from "./tdx/verify.ts";
import type { AmdRoot } from "./trust/amd.ts";
import { AMD_ROOTS_WITH_VLEK } from "./trust/amd-vlek.ts";
import type { IntelRoot } from "./trust/intel.ts";
import type { NitroRoot } from "./trust/nitro.ts";
import type { EvidenceKind, Verified, VerifyOptions } from "./verified.ts";

/** Evidence and all that is needed to verify it. */
export interface EvidenceSet {
  readonly kind: EvidenceKind;
  readonly evidence: Uint8Array;
  /** SNP: DER certificates. */
  readonly certificates?: readonly Uint8Array[];
  /** SNP: DER revocation lists. */
  readonly crls?: readonly Uint8Array[];
  /** TDX and SGX. */
  readonly collateral?: IntelCollateral;
}

export type Relaxation = SnpRelaxation | IntelRelaxation;

/** Roots of the caller's, per vendor, instead of the pinned ones. */
export interface CallerRoots {
  readonly amd?: readonly AmdRoot[];
  readonly intel?: readonly IntelRoot[];
  readonly nitro?: readonly NitroRoot[];
}

export interface EvidenceOptions extends VerifyOptions<Relaxation> {
  readonly roots?: CallerRoots;
}

/**
 * Proves evidence of any kind.
 * @throws AttestError `evidence/malformed`, `evidence/refused`
 */
export function verifyEvidence(
  set: EvidenceSet,
  options: EvidenceOptions,
): Promise<Verified<EvidenceKind, unknown>> {
  const { now, cache, allow = [], roots } = options;
  const common = { now, ...(cache && { cache }), allow };
  const { evidence, collateral = {} } = set;
  switch (set.kind) {
    case "snp": {
      const endorsements = { certificates: set.certificates ?? [], crls: set.crls ?? [] };
      return verifySnp(evidence, endorsements, {
        ...common,
        allow: allow as readonly SnpRelaxation[],
        roots: roots?.amd ?? AMD_ROOTS_WITH_VLEK,
      });
    }
    case "tdx":
    case "sgx": {
      const verifyQuote = set.kind === "tdx" ? verifyTdx : verifySgx;
      return verifyQuote(evidence, collateral, {
        ...common,
        allow: allow as readonly IntelRelaxation[],
        ...(roots?.intel && { roots: roots.intel }),
      });
    }
    case "nitro":
      return verifyNitro(evidence, {
        now,
        ...(cache && { cache }),
        ...(roots?.nitro && { roots: roots.nitro }),
      });
  }
}
