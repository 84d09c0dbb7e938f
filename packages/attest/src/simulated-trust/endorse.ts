/** From a simulated trust to what `verifyEvidence` takes. */
import { decodeBase64 } from "@donjon/core/base64";
import { isZero } from "@donjon/core/bytes";
import type { IntelCollateral, SignedJson } from "../intel/collateral.ts";
import { tableEndorsements } from "../snp/certificate-table.ts";
import type { SnpEndorsements } from "../snp/verify.ts";
import type { CallerRoots, EvidenceSet } from "../verify.ts";
import type { SimulatedAmd, SimulatedIntel, SimulatedSignedJson, SimulatedTrust } from "./trust.ts";

export type SimulatedKind = "snp" | "sgx";

/** For the `roots` option of `verifyEvidence`: the only roots that this machine's evidence ends in. */
export function rootsOf({ amd, intel }: SimulatedTrust): CallerRoots {
  const { product, ark, ask } = amd;
  return { amd: [{ origin: "caller", product, ark, ask }], intel: [intel.root] };
}

/**
 * Evidence with all that is needed to verify it.
 *
 * @param auxiliary what came with the evidence. SNP: the host's certificate table, used in place of the trust's
 *   certificates and lists where it has some; SGX: empty
 * @throws AttestError `evidence/malformed`, reason `snp/certificate-table`
 */
export function endorse(
  trust: SimulatedTrust,
  kind: SimulatedKind,
  evidence: Uint8Array,
  auxiliary: Uint8Array,
): EvidenceSet {
  if (kind === "sgx") return { kind, evidence, collateral: intelCollateral(trust.intel) };
  return { kind, evidence, ...amdEndorsements(trust.amd, auxiliary) };
}

function amdEndorsements(amd: SimulatedAmd, auxiliary: Uint8Array): SnpEndorsements {
  const table: SnpEndorsements = isZero(auxiliary)
    ? { certificates: [] }
    : tableEndorsements(auxiliary);
  const { certificates, crls = [] } = table;
  return {
    certificates: certificates.length > 0 ? certificates : amd.certificates.map(decodeBase64),
    crls: crls.length > 0 ? crls : amd.crls.map(decodeBase64),
  };
}

function intelCollateral(intel: SimulatedIntel): IntelCollateral {
  const signingChain = intel.signingChain.map(decodeBase64);
  return {
    rootCrl: decodeBase64(intel.rootCrl),
    pckCrl: decodeBase64(intel.pckCrl),
    tcbInfo: signedJson(intel.tcbInfo),
    tcbInfoIssuerChain: signingChain,
    qeIdentity: signedJson(intel.qeIdentity),
    qeIdentityIssuerChain: signingChain,
    pckChain: intel.pckChain.map(decodeBase64),
  };
}

function signedJson({ text, signature }: SimulatedSignedJson): SignedJson {
  return { text, signature: decodeBase64(signature) };
}
