/** The registry of policies: for each kind of evidence its knobs and rules. */
import type { EvidenceKind } from "../verified.ts";
import type { Knobs } from "./knob.ts";
import { NITRO_KNOBS, NITRO_RULES, type NitroPolicy } from "./nitro.ts";
import type { Rule } from "./rule.ts";
import { SGX_KNOBS, SGX_RULES, type SgxPolicy } from "./sgx.ts";
import { SNP_KNOBS, SNP_RULES, type SnpPolicy } from "./snp.ts";
import { TDX_KNOBS, TDX_RULES, type TdxPolicy } from "./tdx.ts";

export interface Sections {
  readonly snp: SnpPolicy;
  readonly tdx: TdxPolicy;
  readonly sgx: SgxPolicy;
  readonly nitro: NitroPolicy;
}

export interface Section {
  readonly knobs: Knobs;
  // Rules read the claims and the section of their own kind; `appraise` pairs them by `kind`.
  readonly rules: readonly Rule<never, never>[];
}

export const SECTIONS: Readonly<Record<EvidenceKind, Section>> = {
  snp: { knobs: SNP_KNOBS, rules: SNP_RULES },
  tdx: { knobs: TDX_KNOBS, rules: TDX_RULES },
  sgx: { knobs: SGX_KNOBS, rules: SGX_RULES },
  nitro: { knobs: NITRO_KNOBS, rules: NITRO_RULES },
};
