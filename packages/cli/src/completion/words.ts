/** What a shell may complete, as the program declares it, so that no script falls behind. */
import type { Command, Option } from "commander";

export interface Word {
  readonly name: string;
  readonly about: string;
}

/** What stands for a value: files, Keeps of the agent here, one of some words, or what only the user knows. */
export type Values = "files" | "keeps" | "unknown" | readonly string[];

export interface OptionWords extends Word {
  /** `-e`. */
  readonly short: string | undefined;
  /** `null`: it takes none. */
  readonly values: Values | null;
}

/** A command at any depth; the program itself has the empty path. */
export interface CommandWords {
  /** `agent token add`. */
  readonly path: string;
  readonly options: readonly OptionWords[];
  readonly commands: readonly Word[];
  /** What its arguments are; `null`: it has none. */
  readonly values: Values | null;
}

export function listWords(program: Command): readonly CommandWords[] {
  return listBelow(program, "");
}

/** The program has `help` beside its commands; there it is no command of its own. */
export const HELP: Word = { name: "help", about: "print help for a command" };

function listBelow(command: Command, path: string): CommandWords[] {
  const help = command.createHelp();
  const [argument] = command.registeredArguments;
  const own: CommandWords = {
    path,
    options: help.visibleOptions(command).flatMap(describeOption),
    commands: command.commands.map((each) => ({
      name: each.name(),
      about: each.summary() || each.description(),
    })),
    values: argument === undefined ? null : (argument.argChoices ?? readValues(argument.name())),
  };
  const below = command.commands.flatMap((each) => listBelow(each, joinPath(path, each.name())));
  return [own, ...below];
}

export function joinPath(path: string, name: string): string {
  return path === "" ? name : `${path} ${name}`;
}

function describeOption(option: Option): OptionWords[] {
  const { long, short, description: about, required, optional, argChoices, flags } = option;
  if (!long) return [];
  const value = /<(.*)>/.exec(flags)?.[1] ?? "";
  const values = required || optional ? (argChoices ?? readValues(value)) : null;
  return [{ name: long, short, about, values }];
}

/** By the word that the help uses for it. */
function readValues(name: string): Values {
  if (name === "keep") return "keeps";
  return /^(target|before|after|directory|dir|host|files?)\b/.test(name) ? "files" : "unknown";
}
