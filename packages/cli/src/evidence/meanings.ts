/** What each reason code means, from the tables of the library. */
import { POLICY_REASONS } from "@donjon/attest/appraise";
import { INTEL_REASONS } from "@donjon/attest/intel";
import { NITRO_REASONS } from "@donjon/attest/nitro";
import { SNP_REASONS } from "@donjon/attest/snp";
import { TDX_REASONS } from "@donjon/attest/tdx";

const ENVELOPE_REASONS = {
  "envelope/unknown": "this is no evidence, or of a kind that is not known",
  "envelope/malformed": "what the evidence came in, or what stands beside it, cannot be read",
  "envelope/limit": "it is larger than anything of its kind",
  "session/binding": "the Keep's evidence does not speak for this session with it",
  "session/claimed": "somebody provisioned the Keep before this client did",
  "session/other":
    "the Keep runs another manifest or workload, or has another owner, than was asked for",
  "envelope/binding": "the evidence does not speak for the key or data that it came with",
  "bundle/malformed": "the proof bundle cannot be read",
  "bundle/verdict": "the proof bundle states another verdict than its own evidence and policy give",
} as const;

const MEANINGS: Readonly<Record<string, string>> = {
  ...SNP_REASONS,
  ...INTEL_REASONS,
  ...TDX_REASONS,
  ...NITRO_REASONS,
  ...POLICY_REASONS,
  ...ENVELOPE_REASONS,
};

export function meaningOf(code: string): string {
  return MEANINGS[code] ?? "refused";
}
