import type { Command } from "commander";
import { addEvidenceOptions, type EvidenceOptions } from "../evidence/options.ts";
import type { Context } from "../program.ts";

const EXAMPLES = `
Examples:
  donjon bundle report.bin vcek.der crl.der --policy policy.toml -o proof.donjon
  donjon bundle quote.bin collateral.json -o proof.donjon
  donjon verify proof.donjon                       asks the same questions again, years later

Files are told apart by their content. Evidence that is not genuine is not written; evidence that the
policy refuses is, with that verdict.

Exit codes: 0 accepted, 120 refused, 2 wrong usage.
`;

export function addBundleCommand(program: Command, context: Context): void {
  const command = program
    .command("bundle")
    .summary("put evidence and all that proves it into one file")
    .description("Put evidence, endorsements, collateral, policy and time into a proof bundle.")
    .argument("<files...>", "evidence, and what stands beside it; a directory of PCS answers")
    .requiredOption("-o, --output <file>", "where to write it; nothing is overwritten");
  addEvidenceOptions(command)
    .option("--json", "print {file, kind, verdict, at}")
    .addHelpText("after", EXAMPLES)
    .action(async (files: string[], options: EvidenceOptions & { output: string }) => {
      const { runBundle } = await import("../evidence/commands.ts");
      context.exitCode = await runBundle(files, options);
    });
}
