/** A command on Keeps as a program of its own: what the other commands are is neither loaded nor set up. */
import type { Command } from "commander";
import { addAttachCommand } from "../command/attach.ts";
import { addAttestCommand } from "../command/attest.ts";
import { addDeployCommand } from "../command/deploy.ts";
import { addLogsCommand } from "../command/logs.ts";
import { addPsCommand } from "../command/ps.ts";
import { addRmCommand } from "../command/rm.ts";
import { addStopCommand } from "../command/stop.ts";
import { type Context, runProgram } from "../program.ts";
import type { KeepCommand } from "./names.ts";

const COMMANDS: Readonly<Record<KeepCommand, (program: Command, context: Context) => void>> = {
  deploy: addDeployCommand,
  ps: addPsCommand,
  logs: addLogsCommand,
  attach: addAttachCommand,
  stop: addStopCommand,
  rm: addRmCommand,
  attest: addAttestCommand,
};

/** All of them, in the order of the help. */
export function addKeepCommands(program: Command, context: Context): void {
  for (const add of Object.values(COMMANDS)) add(program, context);
}

/** As `runProgram`, with this command alone. */
export function runKeepCommand(name: KeepCommand, argv: readonly string[]): Promise<number> {
  return runProgram(argv, null, COMMANDS[name]);
}
