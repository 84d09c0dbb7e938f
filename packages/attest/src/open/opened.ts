/** What opening a file gives. */
import { AttestError } from "../attest-error.ts";
import type { Bundle } from "../envelope/bundle.ts";
import type { EvidenceSet } from "../verify.ts";

export type Carrier =
  | "raw"
  | "hex"
  | "base64"
  | "base64url"
  | "certificate"
  | "request"
  | "json"
  | "azure-hcl"
  | "bundle";

export interface OpenedEvidence {
  /** Evidence, and what was stapled to it. */
  readonly set: EvidenceSet;
  readonly carrier: Carrier;
  /** For carrier `bundle`. */
  readonly bundle?: Bundle;
  /**
   * For carriers that say whose the evidence is: that the proven claims speak for the carrier, as its key or its data.
   * @throws AttestError `evidence/refused`, reason `envelope/binding`
   */
  readonly verifyBinding?: (reportData: Uint8Array) => Promise<void>;
}

export function unknownEvidence(found: string): AttestError {
  return new AttestError(
    "evidence/malformed",
    "envelope/unknown",
    `Cannot find evidence: found ${found}, wanted an SNP report, a quote, a Nitro document, or a carrier of one`,
  );
}
