import type { Command } from "commander";
import { addAgentOptions, addEvidenceFlags } from "../keeps/options.ts";
import type { Context } from "../program.ts";

const EXAMPLES = `
Examples:
  donjon stop --policy policy.toml web    asks the program to end, in a session of its owner
  donjon stop --insecure --time 1min web  gives it longer than 10 s
  donjon stop --force web                 ends the Keep at the host, whatever the program does
`;

export function addStopCommand(program: Command, context: Context): void {
  const command = program
    .command("stop")
    .summary("end a deployed program")
    .description(
      "Ask a detached program to end, then end its Keep. Its record stays until 'donjon rm'.",
    )
    .argument("<keep>", "its name, its id, or the beginning of its id");
  addEvidenceFlags(addAgentOptions(command))
    .option("-f, --force", "end the Keep at the host; needs no session with it")
    .option("--time <duration>", "how long the program has to end; 10s when not given")
    .option("--json", "print {stopped: {id, outcome, end}}")
    .addHelpText("after", EXAMPLES)
    .action(async (keep: string, options: object) => {
      const { runStop } = await import("../deploy/commands.ts");
      context.exitCode = await runStop(keep, options);
    });
}
