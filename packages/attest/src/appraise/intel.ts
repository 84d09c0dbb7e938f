/** What policies over TDX and SGX claims share: the state of Intel's platform. */
import type { TcbClaims } from "../intel/claims.ts";
import type { QuoteClaims } from "../intel/platform.ts";
import { TCB_STATUSES } from "../intel/tcb-status.ts";
import type { Plain } from "../plain.ts";
import { ANY, count, flag, hexList, type SectionOf, textList } from "./knob.ts";
import { atLeast, type Finding, forbiddenUnless, oneOf, type Rule } from "./rule.ts";

const STATUSES = [...TCB_STATUSES, "TDRelaunchAdvised", "TDRelaunchAdvisedConfigurationNeeded"];

export const PLATFORM_KNOBS = {
  tcbStatus: textList(STATUSES),
  advisories: textList(),
  minimumEvaluationDataNumber: count(),
  fmspc: hexList(6),
  ppid: hexList(16),
  platformInstanceId: hexList(16),
  allowSmt: flag(),
  allowDynamicPlatform: flag(),
  allowTrailingBytes: flag(),
} as const;

type PlatformPolicy = SectionOf<typeof PLATFORM_KNOBS>;
type PlatformView = Plain<QuoteClaims> & { readonly tcb: Plain<TcbClaims> | null };

export const PLATFORM_RULES: readonly Rule<PlatformView, PlatformPolicy>[] = [
  {
    code: "policy/tcb-status",
    judge: (c, p) => oneOf(p.tcbStatus ?? ["UpToDate"], c.tcb?.status ?? null),
  },
  { code: "policy/advisories", judge: (c, p) => noOther(p.advisories, c.tcb?.advisoryIds) },
  {
    code: "policy/evaluation",
    judge: (c, p) => atLeast(p.minimumEvaluationDataNumber, c.tcb?.evaluationDataNumber),
  },
  { code: "policy/platform", judge: (c, p) => oneOf(p.fmspc, c.platform.fmspc) },
  { code: "policy/platform", judge: (c, p) => oneOf(p.ppid, c.platform.ppid) },
  {
    code: "policy/platform",
    judge: (c, p) => oneOf(p.platformInstanceId, c.platform.platformInstanceId),
  },
  { code: "policy/smt", judge: (c, p) => refusedIf(p.allowSmt, c.platform.smtEnabled !== false) },
  {
    code: "policy/features",
    judge: (c, p) => refusedIf(p.allowDynamicPlatform, c.platform.dynamicPlatform !== false),
  },
  {
    code: "policy/features",
    judge: (c, p) => refusedIf(p.allowTrailingBytes, c.trailingBytes > 0),
  },
];

function refusedIf(allowed: boolean | undefined, on: boolean): Finding | undefined {
  return allowed === false ? forbiddenUnless(false, on) : undefined;
}

function noOther(
  accepted: readonly string[] | undefined,
  found: readonly string[] | undefined,
): Finding | undefined {
  if (accepted === undefined || accepted.includes(ANY)) return undefined;
  const other = found?.filter((id) => !accepted.includes(id)) ?? ["unknown, no TCB info"];
  return {
    wanted: `no advisory but ${accepted.join(", ")}`,
    found: other.join(", ") || "none other",
    ok: other.length === 0,
  };
}
