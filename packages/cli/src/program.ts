import { Command, CommanderError } from "commander";
import type { EarlyKeep } from "./early-keep.ts";
import { EXIT } from "./output/exit-codes.ts";
import { printFailure } from "./output/failure.ts";
import { checkHelp, printHelp } from "./output/help.ts";
import { watchStdout } from "./output/stdout.ts";
import { asUsageError, nameCommand } from "./output/usage.ts";
import { VERSION } from "./version.ts";

/** What commands share: where to leave the exit code, and the Keep that may be running already. */
export interface Context {
  exitCode: number;
  early: EarlyKeep | null;
  /** Everything after `--`: the workload's own. */
  readonly rest: readonly string[] | null;
}

/** Puts commands into an empty program. */
export type AddCommands = (program: Command, context: Context) => void;

/** Their stdout is a program's, or nobody's: they open it in their own way. */
const STREAMING: ReadonlySet<string> = new Set(["run", "deploy", "logs", "attach", "agent"]);

/**
 * Runs one command line and answers the exit code. Never rejects.
 * @param add puts in what `argv` needs
 */
export async function runProgram(
  argv: readonly string[],
  early: EarlyKeep | null,
  add: AddCommands,
): Promise<number> {
  const end = argv.indexOf("--");
  const own = end === -1 ? argv : argv.slice(0, end);
  const context: Context = {
    exitCode: EXIT.ok,
    early,
    rest: end === -1 ? null : argv.slice(end + 1),
  };
  const program = createEmptyProgram();
  let flush: (() => Promise<void>) | undefined;
  try {
    if (!STREAMING.has(own[0] ?? "")) flush = watchStdout();
    add(program, context);
    if (own[0] === "help") {
      printHelp(program, own.slice(1));
      await flush?.();
      return EXIT.ok;
    }
    if (own.length === 0) {
      program.outputHelp({ error: true });
      return EXIT.failed;
    }
    checkHelp(program, own);
    await program.parseAsync(own, { from: "user" });
    await flush?.();
    return context.exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    // A command that has commands, without one of them: its help is on stderr by now.
    if (error instanceof CommanderError && error.code === "commander.help") return EXIT.failed;
    const command = nameCommand(program, own);
    return printFailure(asUsageError(error, command), own.includes("--json"), command);
  } finally {
    early?.keep.kill();
  }
}

/** The command without commands of its own. */
export function createEmptyProgram(): Command {
  const program = new Command("donjon")
    .description("Run WebAssembly where nobody can look")
    .version(VERSION, "-V, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .helpCommand("help [command]", "print help for a command")
    .configureOutput({ outputError: () => {} })
    .showSuggestionAfterError(true)
    .exitOverride();
  program.addHelpText("after", EXAMPLES);
  return program;
}

const EXAMPLES = `
Examples:
  donjon run --insecure app.wasm -- --verbose   run a program, with arguments after --
  donjon inspect app.wasm                       what it imports, and what it would be granted
  donjon init                                   write a donjon.toml for the program here
  donjon run --insecure .                       run by the donjon.toml here
  donjon deploy --policy policy.toml app.wasm   to a Keep at an agent, once it has proved itself
  donjon verify report.bin -e vcek.der          is this evidence genuine?

Exit codes: the program's own; 120 evidence refused, 124 time limit, 125 Donjon failed, 126 cannot run, 127 not found,
130 interrupted, 134 trap, 137 killed or out of memory, 141 broken pipe, 153 output limit.
`;
