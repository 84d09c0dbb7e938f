/** Policy over AWS Nitro claims. Source: AWS Nitro Enclaves user guide, "Attestation document specification". */
import { flag, hexList, hexListOrAny, type Knob, type SectionOf, textList } from "./knob.ts";
import { type Finding, forbiddenUnless, oneOf, oneOfRequired, type Rule } from "./rule.ts";

/** Octets of a user-data field or nonce that a policy may pin (AWS allows 512). */
const MAX_FIELD_BYTES = 512;
const PCR = 48;

export const NITRO_KNOBS = {
  pcr0: hexListOrAny(PCR),
  pcr1: hexList(PCR),
  pcr2: hexList(PCR),
  pcr3: hexList(PCR),
  pcr4: hexList(PCR),
  pcr8: hexList(PCR),
  reportData: hexListOrAny(64),
  userData: anyHex(),
  nonce: anyHex(),
  moduleId: textList(),
  allowDebug: flag(),
} as const;

export type NitroPolicy = SectionOf<typeof NITRO_KNOBS>;

/** The claims that the rules read, as JSON values. */
export interface NitroView {
  readonly moduleId: string;
  readonly pcrs: Readonly<Record<string, string>>;
  readonly userData: string | null;
  readonly nonce: string | null;
  readonly debug: boolean;
}

type NitroRule = Rule<NitroView, NitroPolicy>;

export const NITRO_RULES: readonly NitroRule[] = [
  { code: "policy/measurement", judge: (c, p) => oneOfRequired(p.pcr0, c.pcrs["0"] ?? "none") },
  { code: "policy/measurement", judge: (c, p) => oneOf(p.pcr1, c.pcrs["1"] ?? null) },
  { code: "policy/measurement", judge: (c, p) => oneOf(p.pcr2, c.pcrs["2"] ?? null) },
  { code: "policy/identity", judge: (c, p) => oneOf(p.pcr3, c.pcrs["3"] ?? null) },
  { code: "policy/platform", judge: (c, p) => oneOf(p.pcr4, c.pcrs["4"] ?? null) },
  { code: "policy/signer", judge: (c, p) => oneOf(p.pcr8, c.pcrs["8"] ?? null) },
  { code: "policy/report-data", judge: judgeReportData },
  { code: "policy/report-data", judge: (c, p) => oneOf(p.userData, c.userData) },
  { code: "policy/report-data", judge: (c, p) => oneOf(p.nonce, c.nonce) },
  { code: "policy/platform", judge: (c, p) => oneOf(p.moduleId, c.moduleId) },
  { code: "policy/debug", judge: (c, p) => forbiddenUnless(p.allowDebug, c.debug) },
];

/** A Nitro document carries user data and a nonce in place of report data; something must bind it. */
function judgeReportData(claims: NitroView, policy: NitroPolicy): Finding | undefined {
  const bound = policy.userData !== undefined || policy.nonce !== undefined;
  if (policy.reportData === undefined && bound) return undefined;
  return oneOfRequired(policy.reportData, claims.userData ?? "none");
}

/** Octets of any length, one value or a list. */
function anyHex(): Knob<readonly string[]> {
  const text = textList();
  return {
    form: "hexadecimal, one or a list",
    read: (value, path) =>
      text.read(value, path).map((item, at) => {
        const bytes = item.length / 2;
        const size = Number.isInteger(bytes) && bytes <= MAX_FIELD_BYTES ? bytes : MAX_FIELD_BYTES;
        return hexList(size).read(item, `${path}[${at}]`)[0]!;
      }),
  };
}
