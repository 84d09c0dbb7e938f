import type { Command } from "commander";
import { addAgentOptions, addEvidenceFlags } from "../keeps/options.ts";
import type { Context } from "../program.ts";

const EXAMPLES = `
Examples:
  donjon attach --insecure web                     its streams here; Ctrl-C lets go and leaves it running
  echo reload | donjon attach --insecure web       a line for its stdin, then the rest of its output
  donjon attach --insecure --no-stdin web          only look

Exit code: the program's own when it ends meanwhile, 0 when this end lets go.
`;

export function addAttachCommand(program: Command, context: Context): void {
  const command = program
    .command("attach")
    .summary("join a deployed program to this terminal")
    .description("Join a detached program's stdin, stdout and stderr to this terminal.")
    .argument("<keep>", "its name, its id, or the beginning of its id");
  addEvidenceFlags(addAgentOptions(command))
    .option("--no-stdin", "do not write its stdin")
    .option("--json", "print errors as one line of JSON on stderr")
    .addHelpText("after", EXAMPLES)
    .action(async (keep: string, options: object) => {
      const { runAttach } = await import("../deploy/commands.ts");
      context.exitCode = await runAttach(keep, options);
    });
}
