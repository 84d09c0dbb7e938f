/** Policy over TDX claims, in the order of the TD report. */
import type { Plain } from "../plain.ts";
import type { TdxClaims } from "../tdx/claims.ts";
import { PLATFORM_KNOBS, PLATFORM_RULES } from "./intel.ts";
import { flag, hexList, hexListOrAny, mask, type SectionOf } from "./knob.ts";
import { forbiddenUnless, oneOf, oneOfRequired, type Rule } from "./rule.ts";

export const TDX_KNOBS = {
  mrTd: hexListOrAny(48),
  reportData: hexListOrAny(64),
  rtmr0: hexList(48),
  rtmr1: hexList(48),
  rtmr2: hexList(48),
  rtmr3: hexList(48),
  mrSeam: hexList(48),
  mrConfigId: hexList(48),
  mrOwner: hexList(48),
  mrOwnerConfig: hexList(48),
  mrServiceTd: hexList(48),
  xfam: hexList(8),
  allowDebug: flag(),
  allowMigration: flag(),
  allowVe: flag(),
  allowPerfmon: flag(),
  requireAttributes: mask(),
  ...PLATFORM_KNOBS,
} as const;

export type TdxPolicy = SectionOf<typeof TDX_KNOBS>;
type TdxRule = Rule<Plain<TdxClaims>, TdxPolicy>;

const TD_RULES: readonly TdxRule[] = [
  { code: "policy/measurement", judge: (c, p) => oneOfRequired(p.mrTd, c.td.mrTd) },
  { code: "policy/report-data", judge: (c, p) => oneOfRequired(p.reportData, c.td.reportData) },
  { code: "policy/measurement", judge: (c, p) => oneOf(p.rtmr0, c.td.rtmr0) },
  { code: "policy/measurement", judge: (c, p) => oneOf(p.rtmr1, c.td.rtmr1) },
  { code: "policy/measurement", judge: (c, p) => oneOf(p.rtmr2, c.td.rtmr2) },
  { code: "policy/measurement", judge: (c, p) => oneOf(p.rtmr3, c.td.rtmr3) },
  { code: "policy/firmware", judge: (c, p) => oneOf(p.mrSeam, c.td.mrSeam) },
  { code: "policy/identity", judge: (c, p) => oneOf(p.mrConfigId, c.td.mrConfigId) },
  { code: "policy/identity", judge: (c, p) => oneOf(p.mrOwner, c.td.mrOwner) },
  { code: "policy/identity", judge: (c, p) => oneOf(p.mrOwnerConfig, c.td.mrOwnerConfig) },
  { code: "policy/identity", judge: (c, p) => oneOf(p.mrServiceTd, c.td.mrServiceTd ?? null) },
  { code: "policy/debug", judge: (c, p) => forbiddenUnless(p.allowDebug, c.attributes.debug) },
  {
    code: "policy/migration",
    judge: (c, p) => forbiddenUnless(p.allowMigration, c.attributes.migratable),
  },
  { code: "policy/features", judge: judgeVe },
  {
    code: "policy/features",
    judge: (c, p) =>
      p.allowPerfmon === false ? forbiddenUnless(false, c.attributes.perfmon) : undefined,
  },
  { code: "policy/features", judge: (c, p) => oneOf(p.xfam, c.td.xfam) },
  { code: "policy/features", judge: judgeAttributes },
];

export const TDX_RULES: readonly TdxRule[] = [...TD_RULES, ...PLATFORM_RULES];

function judgeVe(claims: Plain<TdxClaims>, policy: TdxPolicy) {
  const on = claims.attributes.septVeDisable;
  const found = `SEPT_VE_DISABLE ${on ? "on" : "off"}`;
  return {
    wanted: policy.allowVe === true ? "SEPT_VE_DISABLE on or off" : "SEPT_VE_DISABLE on",
    found,
    ok: on || policy.allowVe === true,
  };
}

/** TD attributes are eight octets, lowest first. */
function judgeAttributes(claims: Plain<TdxClaims>, { requireAttributes }: TdxPolicy) {
  if (requireAttributes === undefined) return undefined;
  const octets = claims.td.tdAttributes.match(/../g) ?? [];
  const found = BigInt(`0x${octets.reverse().join("")}`);
  const ok = (found & requireAttributes) === requireAttributes;
  return {
    wanted: `all bits of 0x${requireAttributes.toString(16)}`,
    found: `0x${found.toString(16)}`,
    ok,
  };
}
