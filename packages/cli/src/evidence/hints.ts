/** What to do about a refusal, where the reason alone does not say it. */
import { AMD_KDS, vcekUrl } from "@donjon/attest/collateral";
import { parseReport, reportProduct } from "@donjon/attest/snp";
import type { EvidenceSet } from "@donjon/attest/verify";
import { DonjonError } from "@donjon/core/errors";

const HINTS: Readonly<Record<string, string>> = {
  "snp/chain":
    "--insecure-root FILE, if a simulated security processor made it: then nothing protects that Keep",
  "snp/certificate-missing": "--endorsement FILE with the VCEK or VLEK certificate",
  "snp/crl-missing": "--endorsement FILE with AMD's CRL of the product, or --allow missing-crl",
  "snp/crl-stale": "a newer CRL, --at for an older time, or --allow stale-crl",
  "snp/certificate-expired": "--at with a time that the certificates are valid at",
  "intel/pck-chain":
    "--insecure-root FILE, if a simulated security processor made it: then nothing protects that Keep",
  "intel/pck-missing": "--endorsement FILE with the PCK certificate and its chain",
  "intel/pck-expired": "--at with a time that the certificates are valid at",
  "intel/root-crl-missing": "--collateral FILE, or --allow missing-crl",
  "intel/pck-crl-missing": "--collateral FILE, or --allow missing-crl",
  "intel/root-crl-stale": "newer collateral, --at for an older time, or --allow stale-crl",
  "intel/pck-crl-stale": "newer collateral, --at for an older time, or --allow stale-crl",
  "intel/tcb-info-missing": "--collateral FILE, or --allow missing-tcb-info",
  "intel/tcb-info-expired": "newer collateral, --at for an older time, or --allow stale-tcb-info",
  "intel/qe-identity-missing": "--collateral FILE, or --allow missing-qe-identity",
  "intel/qe-identity-expired":
    "newer collateral, --at for an older time, or --allow stale-qe-identity",
  "nitro/certificate-expired":
    "--at with the document's own time: its certificate lives three hours",
  "policy/debug": "a policy with allow_debug = true, for development only",
};

export function hintFor(code: string): string | undefined {
  return HINTS[code];
}

/** Where the vendor publishes what is missing; empty when the evidence does not say enough to tell. */
export function whereToGet(set: EvidenceSet, code: string): string[] {
  if (set.kind !== "snp" || !code.endsWith("-missing")) return [];
  try {
    const report = parseReport(set.evidence);
    const url = vcekUrl(report);
    const product = reportProduct(report)?.name;
    return code === "snp/crl-missing"
      ? [`AMD's CRL is at ${AMD_KDS}/vcek/v1/${product}/crl`]
      : [`AMD has the VCEK certificate at ${url}`];
  } catch (error) {
    if (error instanceof DonjonError) return [];
    throw error;
  }
}
