import type { Command } from "commander";
import { addEvidenceOptions, addFileOptions, type EvidenceOptions } from "../evidence/options.ts";
import type { Context } from "../program.ts";

const EXAMPLES = `
Examples:
  donjon explain report.bin                        what it says, and what is missing to prove it
  donjon explain proof.donjon                      every claim and every check of a proof bundle
  donjon explain quote.bin -c collateral.json --policy policy.toml

Exit codes: 0 it could be read, genuine or not; 120 it could not; 2 wrong usage.
To decide by an exit code, use 'donjon verify'.
`;

export function addExplainCommand(program: Command, context: Context): void {
  const command = program
    .command("explain")
    .summary("show every claim and check of evidence")
    .description(
      "Show what evidence says, which of it is proven, and every check. Decides nothing.",
    )
    .argument("<file>", "as for 'verify'");
  addEvidenceOptions(addFileOptions(command))
    .option("--json", "print JSON, as 'verify' does; what is not proven is under 'unverified'")
    .addHelpText("after", EXAMPLES)
    .action(async (file: string, options: EvidenceOptions) => {
      const { runExplain } = await import("../evidence/commands.ts");
      context.exitCode = await runExplain(file, options);
    });
}
