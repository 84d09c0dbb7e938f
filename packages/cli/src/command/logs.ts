import type { Command } from "commander";
import { addAgentOptions, addEvidenceFlags } from "../keeps/options.ts";
import type { Context } from "../program.ts";

const EXAMPLES = `
Examples:
  donjon logs --policy policy.toml web
  donjon logs --insecure -f web          go on until the program ends, or Ctrl-C

The output is in the Keep and nowhere else: it comes over a session in which the Keep proves that it is yours.
`;

export function addLogsCommand(program: Command, context: Context): void {
  const command = program
    .command("logs")
    .summary("show what a deployed program wrote")
    .description(
      "Show what a detached program wrote to stdout and stderr, as far as its Keep holds it.",
    )
    .argument("<keep>", "its name, its id, or the beginning of its id");
  addEvidenceFlags(addAgentOptions(command))
    .option("-f, --follow", "go on as it writes")
    .option("--json", "print errors as one line of JSON on stderr")
    .addHelpText("after", EXAMPLES)
    .action(async (keep: string, options: object) => {
      const { runLogs } = await import("../deploy/commands.ts");
      context.exitCode = await runLogs(keep, options);
    });
}
