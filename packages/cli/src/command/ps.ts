import type { Command } from "commander";
import { addAgentOptions } from "../keeps/options.ts";
import type { Context } from "../program.ts";

const EXAMPLES = `
Examples:
  donjon ps               the Keeps that run
  donjon ps --all --json  those that have ended, too

All of it is what the agent says. 'donjon attest KEEP' asks the Keep, which has to prove its answer.
`;

export function addPsCommand(program: Command, context: Context): void {
  const command = program
    .command("ps")
    .summary("list your Keeps at an agent")
    .description("List your Keeps at an agent, as it tells.");
  addAgentOptions(command)
    .option("-a, --all", "those that have ended, too")
    .option("--json", "print {keeps: [...]}")
    .addHelpText("after", EXAMPLES)
    .action(async (options: object) => {
      const { runPs } = await import("../keeps/commands.ts");
      context.exitCode = await runPs(options);
    });
}
