import type { Command } from "commander";
import { addAgentOptions } from "../keeps/options.ts";
import type { Context } from "../program.ts";

const EXAMPLES = `
Examples:
  donjon rm web             a Keep whose program has ended; its output goes with it
  donjon rm --force web db  end them first
`;

export function addRmCommand(program: Command, context: Context): void {
  const command = program
    .command("rm")
    .summary("remove Keeps")
    .description("Remove Keeps and every trace of them at the agent.")
    .argument("<keep...>", "names, ids, or beginnings of ids");
  addAgentOptions(command)
    .option("-f, --force", "end those that run")
    .option("--json", "print {removed: [...]}")
    .addHelpText("after", EXAMPLES)
    .action(async (keeps: string[], options: object) => {
      const { runRm } = await import("../keeps/commands.ts");
      context.exitCode = await runRm(keeps, options);
    });
}
