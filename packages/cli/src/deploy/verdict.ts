/** What `deploy` and `run` show of the evidence that decided. On stderr: stdout is the workload's. */

import { AttestError } from "@donjon/attest/errors";
import type { KeepStatement } from "@donjon/client/attested/statement";
import { encodeJudgement } from "../evidence/print.ts";
import { EXIT } from "../output/exit-codes.ts";
import { createStyle } from "../output/style.ts";
import type { SummaryEvidence } from "../output/summary.ts";
import { answerRefusal, describeAnswer, judgeAppraisal } from "../trust/answer.ts";
import type { Trust } from "../trust/trust.ts";

export interface VerdictOptions {
  readonly summary?: boolean;
  readonly quiet?: boolean;
  readonly detach?: boolean;
  readonly json?: boolean;
}

/** Where a person looks, where it is asked for, and where no workload writes to the same stream. */
export function showVerdict(
  { appraisal }: KeepStatement,
  trust: Trust,
  { summary, quiet, detach, json }: VerdictOptions,
): void {
  if (json || quiet || !(summary || detach || process.stderr.isTTY)) return;
  const answer = { ...judgeAppraisal(appraisal, trust.notes), running: null };
  process.stderr.write(describeAnswer(answer, trust, [], createStyle(process.stderr)));
}

export function summariseEvidence({ appraisal }: KeepStatement): SummaryEvidence {
  const { kind, verdict, anchor } = appraisal;
  return { kind, verdict, anchor };
}

/**
 * Refused evidence, check by check, with its exit code; any other failure is thrown on.
 * @param sent whether the workload was sent before
 */
export function showRefusal(
  error: unknown,
  trust: Trust,
  { json }: VerdictOptions,
  sent: boolean,
): number {
  if (!(error instanceof AttestError)) throw error;
  const notes = [...trust.notes, ...(sent ? [] : ["nothing of the workload was sent"])];
  const answer = answerRefusal(error, trust, notes);
  const text = json
    ? encodeJudgement(answer)
    : describeAnswer(answer, trust, [], createStyle(process.stderr));
  process.stderr.write(text);
  return EXIT.refused;
}
