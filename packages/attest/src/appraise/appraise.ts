import { AttestError } from "../attest-error.ts";
import type { Check } from "../check.ts";
import { type Json, plainClaims } from "../plain.ts";
import type { Anchor, EvidenceKind, Verified } from "../verified.ts";
import { type Policy, parsePolicy } from "./policy.ts";
import type { Rule } from "./rule.ts";
import { SECTIONS } from "./sections.ts";

/** What a policy says of verified evidence, check by check. Ask `requireAccepted` before relying on it. */
export interface Appraisal {
  readonly kind: EvidenceKind;
  readonly verdict: "accepted" | "refused";
  readonly anchor: Anchor;
  /** The moment that the evidence was verified for. */
  readonly at: Date;
  /** The claims as JSON values. */
  readonly claims: Json;
  /** How the evidence was proven genuine. */
  readonly verification: readonly Check[];
  /** Every question of the policy, failed or not. */
  readonly checks: readonly Check[];
}

/**
 * Do I accept it? Asks every question of the policy, also after one failed, so that the answer is complete.
 *
 * @param verified what a `verifyX` function returned
 * @throws DonjonError `policy/unknown-key`, `policy/value` when the policy itself is wrong
 */
export function appraise<Kind extends EvidenceKind>(
  verified: Verified<Kind, unknown>,
  policy: Policy,
): Appraisal {
  const { kind, anchor, at } = verified;
  const claims = plainClaims(verified.claims) as Json;
  const checks = judge(kind, claims, parsePolicy(policy));
  return {
    kind,
    verdict: checks.every(({ ok }) => ok) ? "accepted" : "refused",
    anchor,
    at,
    claims,
    verification: verified.checks,
    checks,
  };
}

/**
 * The appraisal, when it accepts.
 * @throws AttestError `evidence/refused` with the code of the first failed check, and all checks
 */
export function requireAccepted(appraisal: Appraisal): Appraisal {
  const failed = appraisal.checks.filter(({ ok }) => !ok);
  const [first] = failed;
  if (first === undefined && appraisal.verdict === "accepted") return appraisal;
  const reason = first?.code ?? "policy/kind";
  throw new AttestError(
    "evidence/refused",
    reason,
    `Cannot accept this evidence by the policy: ${failed.map(({ code, found, wanted }) => `${code}: found ${found}, wanted ${wanted}`).join("; ")}`,
    { checks: appraisal.checks },
  );
}

function judge(kind: EvidenceKind, claims: Json, policy: Policy): readonly Check[] {
  const section = policy[kind];
  const kinds = Object.keys(SECTIONS).filter((name) => policy[name as EvidenceKind] !== undefined);
  const wanted = kinds.length === 0 ? "a policy with a section for the kind" : kinds.join(" or ");
  const checks: Check[] = [{ code: "policy/kind", wanted, found: kind, ok: section !== undefined }];
  if (section === undefined) return checks;
  const filled = {
    ...(policy.reportData !== undefined && { reportData: policy.reportData }),
    ...section,
  };
  for (const rule of SECTIONS[kind].rules as readonly Rule<Json, object>[]) {
    const finding = rule.judge(claims, filled);
    if (finding !== undefined) checks.push({ code: rule.code, ...finding });
  }
  return checks;
}
