/** From a policy and where endorsements come from to a `Verifier` of sessions. */
import { type Appraisal, appraise, type Policy, requireAccepted } from "@donjon/attest/appraise";
import {
  type AmdOptions,
  type CollateralSource,
  fetchIntelCollateral,
  fetchSnpEndorsements,
  type IntelOptions,
} from "@donjon/attest/collateral";
import { endorse, rootsOf, type SimulatedTrust } from "@donjon/attest/simulated-trust";
import { tableEndorsements } from "@donjon/attest/snp";
import {
  type CallerRoots,
  type EvidenceSet,
  type Relaxation,
  verifyEvidence,
} from "@donjon/attest/verify";
import type { VerifyCache } from "@donjon/attest/verify-cache";
import { isZero } from "@donjon/core/bytes";
import { encodeHex } from "@donjon/core/hex";
import type { PlatformEvidence } from "@donjon/protocol/attestation/evidence";
import type { Verifier } from "./statement.ts";

/** Finds what it takes to verify evidence; what it gives proves nothing by itself. */
export type Endorser = (evidence: PlatformEvidence) => EvidenceSet | Promise<EvidenceSet>;

export interface VerifierOptions {
  /** What to accept; its `reportData`, here and in its tables, is replaced by the session's own. */
  readonly policy: Policy;
  readonly endorse: Endorser;
  /** Instead of the vendors' pinned roots. */
  readonly roots?: CallerRoots;
  /** The moment to check validity for; the clock unless said. */
  readonly now?: () => Date;
  readonly allow?: readonly Relaxation[];
  readonly cache?: VerifyCache;
  /** Called with every appraisal of genuine evidence, also one that refuses: to show it. */
  readonly onAppraisal?: (appraisal: Appraisal) => void;
}

export function createVerifier(options: VerifierOptions): Verifier {
  const { policy, roots, now = () => new Date(), allow, cache } = options;
  return async (evidence, reportData) => {
    const set = await options.endorse(evidence);
    const verified = await verifyEvidence(set, {
      now: now(),
      ...(roots && { roots }),
      ...(allow && { allow }),
      ...(cache && { cache }),
    });
    const pinned = pinReportData(policy, encodeHex(reportData));
    const appraisal = appraise(verified, pinned);
    options.onAppraisal?.(appraisal);
    return { appraisal: requireAccepted(appraisal), set };
  };
}

/** Accepts the simulated security processor of one machine, which protects nothing: only for `--insecure`. */
export function createSimulatedVerifier(
  trust: SimulatedTrust,
  options: Omit<VerifierOptions, "endorse" | "roots">,
): Verifier {
  return createVerifier({
    ...options,
    roots: rootsOf(trust),
    endorse: ({ tee, evidence, auxiliary }) =>
      // Another kind goes to the verifier as it is, which then finds no root for it.
      tee === "tdx" ? { kind: tee, evidence } : endorse(trust, tee, evidence, auxiliary),
  });
}

/** Endorsements from the vendors' services by way of `source`; AMD's certificates from the host's table where it has them. */
export function fetchEndorsements(
  source: CollateralSource,
  vendors: { readonly amd?: AmdOptions; readonly intel?: IntelOptions } = {},
): Endorser {
  return async ({ tee, evidence, auxiliary }) => {
    if (tee !== "snp") {
      return {
        kind: tee,
        evidence,
        collateral: await fetchIntelCollateral(evidence, source, vendors.intel),
      };
    }
    const table = isZero(auxiliary) ? { certificates: [], crls: [] } : tableEndorsements(auxiliary);
    const { certificates, crls = [] } = table;
    if (certificates.length > 0 && crls.length > 0) {
      return { kind: tee, evidence, certificates, crls };
    }
    const fetched = await fetchSnpEndorsements(evidence, source, vendors.amd);
    return {
      kind: tee,
      evidence,
      certificates: [...certificates, ...fetched.certificates],
      crls: [...crls, ...(fetched.crls ?? [])],
    };
  };
}

/** A table of its own may override the policy's `reportData`; neither may here. */
export function pinReportData(policy: Policy, reportData: string): Policy {
  const pinned: Record<string, unknown> = { ...policy, reportData: [reportData] };
  for (const [kind, section] of Object.entries(policy)) {
    if (typeof section !== "object" || Array.isArray(section)) continue;
    const { reportData: _, ...rest } = section as { reportData?: unknown };
    pinned[kind] = rest;
  }
  return pinned as Policy;
}
