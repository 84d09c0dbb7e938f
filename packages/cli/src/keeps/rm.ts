import type { KeepRecord } from "@donjon/client/agent/client";
import { DonjonError } from "@donjon/core/errors";
import { EXIT } from "../output/exit-codes.ts";
import { printFailure } from "../output/failure.ts";
import { openAgent } from "./connect.ts";
import type { AgentFlags } from "./options.ts";
import { describeState } from "./ps.ts";
import { removeReceipt } from "./receipts.ts";

export interface RmOptions extends AgentFlags {
  readonly force?: boolean;
  readonly json?: boolean;
}

/** Removes every Keep that can be removed, tells of each that could not, and exits as the last of them wants. */
export async function runRm(keeps: readonly string[], options: RmOptions): Promise<number> {
  const agent = openAgent(options);
  const removed: string[] = [];
  const failures: unknown[] = [];
  for (const keep of keeps) {
    try {
      const record = await agent.getKeep(keep);
      const { id, name } = record;
      if (!options.force && isAtWork(record)) {
        throw new DonjonError(
          "keep/state",
          `the program in '${name}' has not ended (${describeState(record)}), so its Keep was left alone; stop it first (donjon stop ${name}), or end and remove it with --force`,
        );
      }
      await agent.removeKeep(id);
      removeReceipt(id);
      removed.push(id);
      if (!options.json) process.stdout.write(`${keep}\n`);
    } catch (error) {
      failures.push(error);
    }
  }
  if (options.json) process.stdout.write(`${JSON.stringify({ removed })}\n`);
  const last = failures.pop();
  for (const failure of failures) printFailure(failure, options.json ?? false, "");
  if (last !== undefined) throw last;
  return EXIT.ok;
}

/** A program that has exited leaves a Keep that only holds its output. */
function isAtWork({ state, health }: KeepRecord): boolean {
  return (state === "running" || state === "starting") && health !== "exited";
}
