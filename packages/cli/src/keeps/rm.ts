import { DonjonError } from "@donjon/core/errors";
import { EXIT } from "../output/exit-codes.ts";
import { openAgent } from "./connect.ts";
import type { AgentFlags } from "./options.ts";
import { describeState } from "./ps.ts";
import { removeReceipt } from "./receipts.ts";

export interface RmOptions extends AgentFlags {
  readonly force?: boolean;
  readonly json?: boolean;
}

/** Removes every Keep that can be removed, then fails for the first that could not. */
export async function runRm(keeps: readonly string[], options: RmOptions): Promise<number> {
  const agent = openAgent(options);
  const removed: string[] = [];
  const failures: unknown[] = [];
  for (const keep of keeps) {
    try {
      const record = await agent.getKeep(keep);
      const { id, state, name } = record;
      if (!options.force && (state === "running" || state === "starting")) {
        throw new DonjonError(
          "keep/state",
          `the Keep '${name}' has not ended (${describeState(record)}) and was left alone; stop it first (donjon stop ${name}), or end and remove it with --force`,
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
  if (failures.length > 0) throw failures[0];
  return EXIT.ok;
}
