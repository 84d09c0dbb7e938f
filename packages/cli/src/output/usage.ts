/** The option parser's refusals, in Donjon's form. */
import { DonjonError } from "@donjon/core/errors";
import { type Command, CommanderError } from "commander";

/** Commands whose target has a command line of its own. */
const RUNNERS: ReadonlySet<string> = new Set(["run", "deploy"]);

/** @param command the path of the command that was meant, such as `agent token` */
export function asUsageError(error: unknown, command: string): unknown {
  if (!(error instanceof CommanderError)) return error;
  return new DonjonError("usage", `${describe(error)}${adviseRunner(error, command)}`, {
    cause: error,
  });
}

function describe({ message }: CommanderError): string {
  return message
    .replace(/^error: /, "")
    .replace(/\n\(Did you mean (.*)\)$/, "; did you mean $1")
    .replace(/^option '(?:-\w, )?(--[\w-]+).*?' argument '(.*)' is invalid\. /s, "$1 is '$2', and ")
    .replace(
      /^command-argument value '(.*)' is invalid for argument '(.*)'\. /s,
      "<$2> is '$1', and ",
    )
    .replace(/\bwanted\.$/, "wanted")
    .replace(/Allowed choices are (.*)\.$/, "one of $1 is wanted")
    .replace(/\. Expected (\d+) arguments? but got (\d+): (.*)\.$/s, ": $1 wanted, $2 found ($3)");
}

/** What the program should get is mistaken for the command's own, until somebody says where it goes. */
function adviseRunner({ code, message }: CommanderError, command: string): string {
  const isForeign =
    code === "commander.excessArguments" ||
    (code === "commander.unknownOption" && !message.includes("Did you mean"));
  return isForeign && RUNNERS.has(command)
    ? `; what is meant for the program comes after --, as in: donjon ${command} app.wasm -- input.txt`
    : "";
}

/** The path of the command that `argv` begins with, as far as it names one: `agent token add`. */
export function nameCommand(program: Command, argv: readonly string[]): string {
  const path: string[] = [];
  let command: Command | undefined = program;
  for (const word of argv) {
    command = command.commands.find((each) => each.name() === word);
    if (command === undefined) break;
    path.push(word);
  }
  return path.join(" ");
}
