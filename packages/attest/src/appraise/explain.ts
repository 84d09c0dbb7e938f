import type { Check } from "../check.ts";
import type { Appraisal } from "./appraise.ts";
import { POLICY_REASONS } from "./reasons.ts";

/**
 * An appraisal for people: one line a check, the verdict first and the reasons for a refusal right after it. Every
 * line says INSECURE when the evidence does not chain to a vendor's pinned root.
 */
export function explain(appraisal: Appraisal): string {
  const { kind, verdict, anchor, at, verification, checks } = appraisal;
  const failed = checks.filter(({ ok }) => !ok);
  const relaxed = verification.filter(({ allowed }) => allowed !== undefined);
  const lines = [
    `${verdict === "accepted" ? "ACCEPTED" : "REFUSED"}: ${kind} evidence, genuine by ${anchor.name} at ${at.toISOString()}`,
    ...failed.map((check) => `  because ${meaning(check)}`),
    ...relaxed.map(
      ({ code, allowed }) => `  note: ${code} was let pass by the option '${allowed}'`,
    ),
    "Policy:",
    ...checks.map(line),
    "Verification:",
    ...verification.map(line),
  ];
  const mark = anchor.origin === "vendor" ? "" : "INSECURE ";
  return `${lines.map((text) => `${mark}${text}`).join("\n")}\n`;
}

function line({ code, wanted, found, ok, allowed }: Check): string {
  const state = allowed !== undefined ? "pass" : ok ? "ok  " : "FAIL";
  return `  ${state} ${code}: wanted ${wanted}; found ${found}`;
}

function meaning({ code, wanted, found }: Check): string {
  const says = (POLICY_REASONS as Readonly<Record<string, string>>)[code] ?? code;
  return `${says}: found ${found}, wanted ${wanted}`;
}
