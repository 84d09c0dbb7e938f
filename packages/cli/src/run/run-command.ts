/** A run as a program of its own: it waits for nothing that only other commands need. */
import { addRunCommand } from "../command/run.ts";
import type { EarlyKeep } from "../early-keep.ts";
import { runProgram } from "../program.ts";

/** As `runProgram`, with this command alone. */
export function runRunCommand(argv: readonly string[], early: EarlyKeep | null): Promise<number> {
  return runProgram(argv, early, addRunCommand);
}
