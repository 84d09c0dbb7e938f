/** Every command, in the order of the help. One file of its own when built: a run and the commands on Keeps know themselves alone. */
import type { Command } from "commander";
import { addAgentCommand } from "./command/agent.ts";
import { addBundleCommand } from "./command/bundle.ts";
import { addCompletionCommand } from "./command/completion.ts";
import { addDiffCommand } from "./command/diff.ts";
import { addExplainCommand } from "./command/explain.ts";
import { addImageCommand } from "./command/image.ts";
import { addInitCommand } from "./command/init.ts";
import { addInspectCommand } from "./command/inspect.ts";
import { addPlatformCommand } from "./command/platform.ts";
import { addPolicyCommand } from "./command/policy.ts";
import { addRunCommand } from "./command/run.ts";
import { addVerifyCommand } from "./command/verify.ts";
import { addKeepCommands } from "./deploy/keep-command.ts";
import { type Context, createEmptyProgram, runProgram } from "./program.ts";

export function addCommands(program: Command, context: Context): void {
  program.commandsGroup("Programs:");
  addRunCommand(program, context);
  addInitCommand(program);
  addInspectCommand(program, context);
  program.commandsGroup("Keeps at an agent:");
  addKeepCommands(program, context);
  program.commandsGroup("Evidence:");
  addVerifyCommand(program, context);
  addExplainCommand(program, context);
  addDiffCommand(program, context);
  addBundleCommand(program, context);
  addPolicyCommand(program, context);
  program.commandsGroup("This machine:");
  addAgentCommand(program, context);
  addPlatformCommand(program, context);
  addImageCommand(program, context);
  addCompletionCommand(program);
}

/** The whole command line, for who asks what is in it. */
export function createProgram(context: Context): Command {
  const program = createEmptyProgram();
  addCommands(program, context);
  return program;
}

/** As `runProgram`, with every command. */
export function runAnyCommand(argv: readonly string[]): Promise<number> {
  return runProgram(argv, null, addCommands);
}
