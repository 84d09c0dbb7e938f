/** After a run: its changes back, its summary, its exit code. */
import { chooseOutcomeExit } from "../output/exit-codes.ts";
import { writeLine } from "../output/failure.ts";
import type { Progress } from "../output/progress.ts";
import { describeEnd, printSummary, printSummaryJson, type RunSummary } from "../output/summary.ts";
import { deliverChanges } from "./deliver.ts";
import type { Executed } from "./execute.ts";

export interface FinishOptions {
  readonly summary?: boolean;
  readonly quiet?: boolean;
  readonly json?: boolean;
}

/** What ran it, for the summary. */
export type RanBy = Pick<RunSummary, "backend" | "protected" | "sandbox" | "image" | "evidence">;

/** A trap, a limit or a signal leaves the owner's directories as they were. */
export function finishRun(
  executed: Executed,
  options: FinishOptions,
  progress: Progress,
  ranBy: RanBy,
): number {
  const { outcome, changes, usage } = executed.result;
  const end = describeEnd(outcome);
  if (end !== null && !options.json) writeLine(`donjon: ${end}`);
  const written =
    outcome.kind === "exit" ? deliverChanges(changes, executed.prepared.writable, progress) : [];
  const exitCode = executed.forced ?? chooseOutcomeExit(outcome);
  const summary: RunSummary = {
    ...ranBy,
    ...executed.digests,
    outcome,
    exitCode,
    usage,
    phases: Object.fromEntries(executed.phases),
    written,
  };
  if (options.json) printSummaryJson(summary);
  else if (options.summary || (process.stderr.isTTY && !options.quiet)) printSummary(summary);
  return exitCode;
}
