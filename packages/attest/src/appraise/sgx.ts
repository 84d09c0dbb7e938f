/** Policy over SGX claims, in the order of the enclave's report. */
import type { Plain } from "../plain.ts";
import type { SgxClaims } from "../sgx/claims.ts";
import { PLATFORM_KNOBS, PLATFORM_RULES } from "./intel.ts";
import { count, countList, flag, hexList, hexListOrAny, type SectionOf } from "./knob.ts";
import { atLeast, forbiddenUnless, oneOf, oneOfRequired, type Rule } from "./rule.ts";

export const SGX_KNOBS = {
  mrEnclave: hexListOrAny(32),
  reportData: hexListOrAny(64),
  mrSigner: hexList(32),
  isvProdId: countList(),
  minimumIsvSvn: count(),
  configId: hexList(64),
  isvFamilyId: hexList(16),
  isvExtProdId: hexList(16),
  allowDebug: flag(),
  allowProvisionKey: flag(),
  ...PLATFORM_KNOBS,
} as const;

export type SgxPolicy = SectionOf<typeof SGX_KNOBS>;
type SgxRule = Rule<Plain<SgxClaims>, SgxPolicy>;

const ENCLAVE_RULES: readonly SgxRule[] = [
  { code: "policy/measurement", judge: (c, p) => oneOfRequired(p.mrEnclave, c.enclave.mrEnclave) },
  {
    code: "policy/report-data",
    judge: (c, p) => oneOfRequired(p.reportData, c.enclave.reportData),
  },
  { code: "policy/signer", judge: (c, p) => oneOf(p.mrSigner, c.enclave.mrSigner) },
  { code: "policy/identity", judge: (c, p) => oneOf(p.isvProdId, c.enclave.isvProdId) },
  { code: "policy/svn", judge: (c, p) => atLeast(p.minimumIsvSvn, c.enclave.isvSvn) },
  { code: "policy/identity", judge: (c, p) => oneOf(p.configId, c.enclave.configId) },
  { code: "policy/identity", judge: (c, p) => oneOf(p.isvFamilyId, c.enclave.isvFamilyId) },
  { code: "policy/identity", judge: (c, p) => oneOf(p.isvExtProdId, c.enclave.isvExtProdId) },
  { code: "policy/debug", judge: (c, p) => forbiddenUnless(p.allowDebug, c.attributes.debug) },
  {
    code: "policy/features",
    judge: (c, p) => forbiddenUnless(p.allowProvisionKey, c.attributes.provisionKey),
  },
];

export const SGX_RULES: readonly SgxRule[] = [...ENCLAVE_RULES, ...PLATFORM_RULES];
