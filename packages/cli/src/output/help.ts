/** The help of a command at any depth; what is no command gets a suggestion. */
import { DonjonError } from "@donjon/core/errors";
import { suggestNearest } from "@donjon/protocol/manifest/suggest";
import type { Command } from "commander";

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
