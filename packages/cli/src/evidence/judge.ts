/** From what was gathered to a verdict. Evidence that is not genuine is a verdict too, with the checks made until then. */
import { type Appraisal, appraise, type Json, type Policy } from "@donjon/attest/appraise";
import { verifyBundle } from "@donjon/attest/envelope";
import { reportDataOf } from "@donjon/attest/open";
import { type Anchor, AttestError, type Check } from "@donjon/attest/snp";
import { verifyEvidence } from "@donjon/attest/verify";
import { DonjonError } from "@donjon/core/errors";
import { type PlainBinding, readPlainBinding } from "./binding.ts";
import type { Gathered } from "./gather.ts";
import { whereToGet } from "./hints.ts";

export type Kind = "snp" | "tdx" | "sgx" | "nitro";

/** What `--json` prints; one check is `{code, wanted, found, ok}`, and `allowed` where the caller let it fail. */
export interface Judgement {
  /** `null` when it cannot be told. */
  readonly kind: Kind | null;
  readonly verdict: "accepted" | "refused";
  /** Proven; `null` when the evidence is not genuine. */
  readonly claims: Json | null;
  /** Of verification, then of the policy. */
  readonly checks: readonly Check[];
  readonly at: Date;
  /** `null` when the evidence is not genuine. */
  readonly anchor: Anchor | null;
  readonly notes: readonly string[];
  /** What a Keep's evidence speaks for; only of genuine evidence. */
  readonly binding?: PlainBinding;
}

/** Genuine is all that is asked, besides what every policy refuses by default, such as debug. */
export const NO_POLICY: Policy = {
  reportData: "any",
  snp: { measurement: "any" },
  tdx: { mrTd: "any" },
  sgx: { mrEnclave: "any" },
  nitro: { pcr0: "any" },
};

export async function judge(gathered: Gathered, now: Date): Promise<Judgement> {
  const { settings, opened, set } = gathered;
  const at = settings.at ?? opened.bundle?.at ?? now;
  try {
    const appraisal = await appraiseAll(gathered, at);
    const bound = await checkBinding(gathered, appraisal);
    const checks = [...appraisal.verification, ...bound, ...appraisal.checks];
    const preimage = opened.bundle?.preimage;
    const binding = preimage === undefined ? null : readPlainBinding(preimage);
    return {
      kind: appraisal.kind,
      verdict: checks.every(({ ok }) => ok) ? appraisal.verdict : "refused",
      claims: appraisal.claims,
      checks,
      at: appraisal.at,
      anchor: appraisal.anchor,
      notes: listNotes(gathered),
      ...(binding !== null && bound.every(({ ok }) => ok) && { binding }),
    };
  } catch (error) {
    const refusal = refuse(error, set.kind, at);
    return { ...refusal, notes: whereToGet(set, refusal.checks.at(-1)?.code ?? "") };
  }
}

/** Evidence, endorsements and collateral that cannot be read are refused; what the caller wrote is not judged here. */
export function refuse(error: unknown, kind: Kind | null, at: Date): Judgement {
  const isRefusal =
    error instanceof DonjonError &&
    (error.code.startsWith("evidence/") || error.code.startsWith("bytes/"));
  if (!isRefusal) throw error;
  const [code, made] =
    error instanceof AttestError
      ? [error.reason, error.checks]
      : (["envelope/malformed", []] as const);
  // Messages of refusals have one form; where one has not, the whole sentence is what was found.
  const [, found = error.message, wanted = "what can be read and proven"] =
    /\bfound (.*), wanted (.*)$/s.exec(error.message) ?? [];
  const last: Check = { code, wanted, found, ok: false };
  const checks = made.some(({ ok }) => !ok) ? made : [...made, last];
  return { kind, verdict: "refused", claims: null, checks, at, anchor: null, notes: [] };
}

async function appraiseAll({ settings, opened, set }: Gathered, at: Date): Promise<Appraisal> {
  const { policy, allow, roots } = settings;
  const options = { allow, ...(roots && { roots }) };
  const { bundle } = opened;
  if (bundle !== undefined && policy === undefined && settings.at === undefined)
    return verifyBundle({ ...bundle, set }, options);
  const verified = await verifyEvidence(set, { ...options, now: at });
  return appraise(verified, policy ?? bundle?.policy ?? NO_POLICY);
}

/** A carrier with a key or data of its own: the evidence must speak for it. */
async function checkBinding({ opened }: Gathered, { claims }: Appraisal): Promise<Check[]> {
  const { verifyBinding, carrier } = opened;
  if (verifyBinding === undefined) return [];
  const wanted = `report data that speaks for the ${carrier}`;
  try {
    await verifyBinding(reportDataOf(claims) ?? new Uint8Array());
    return [{ code: "envelope/binding", wanted, found: "it does", ok: true }];
  } catch (error) {
    if (!(error instanceof AttestError)) throw error;
    return [{ code: error.reason, wanted, found: error.message, ok: false }];
  }
}

function listNotes({ settings, opened }: Gathered): string[] {
  const notes: string[] = [];
  if (opened.carrier === "certificate" && opened.verifyBinding === undefined)
    notes.push("nothing says how this evidence binds the certificate's key: it was not checked");
  if (opened.bundle !== undefined) {
    if (settings.policy === undefined)
      notes.push("the policy is the bundle's own; 'donjon explain' shows what it asks");
    if (settings.at === undefined)
      notes.push("verified for the bundle's own time; give --at to ask about another");
  } else if (settings.policy === undefined) {
    notes.push("no --policy: any measurement and any report data is accepted");
  }
  return notes;
}
