/** Every command, in the order of the help. One file of its own when built: a run knows itself alone. */

import { DonjonError } from "@donjon/core/errors";
import { suggestNearest } from "@donjon/protocol/manifest/suggest";
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
import { type Context, createEmptyProgram } from "./program.ts";

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

/** `donjon help agent token`: the help of a command at any depth. @throws DonjonError `usage` */
export function printHelp(program: Command, argv: readonly string[]): void {
  let command = program;
  for (const name of argv.filter((word) => !word.startsWith("-")))
    command = findCommand(command, name);
  command.outputHelp();
}

/**
 * `donjon polciy --help`: where help is asked for, the option parser takes what is no command for an argument, and prints the
 * help of the command above. @throws DonjonError `usage`
 */
export function checkHelp(program: Command, argv: readonly string[]): void {
  if (!argv.includes("--help") && !argv.includes("-h")) return;
  let command = program;
  for (const word of argv) {
    if (word.startsWith("-") || command.commands.length === 0) return;
    command = findCommand(command, word);
  }
}

/** @throws DonjonError `usage` */
function findCommand(parent: Command, name: string): Command {
  const found = parent.commands.find((each) => each.name() === name);
  if (found === undefined) throw noCommand(parent, name);
  return found;
}

function noCommand(parent: Command, name: string): DonjonError {
  const names = parent.commands.map((each) => each.name());
  const near = suggestNearest(name, names);
  const hint = near === null ? "" : `; did you mean ${near}?`;
  return new DonjonError("usage", `'${parent.name()}' has no command '${name}'${hint}`);
}
