import type { Command } from "commander";
import type { Context } from "../program.ts";

const EXAMPLES = `
Examples:
  donjon diff yesterday.bin today.bin       which claims differ
  donjon diff a.donjon b.donjon --json      the same for programs

Exit codes: 0 no claim differs, 1 some do, 120 evidence that cannot be read, 2 wrong usage.
`;

export function addDiffCommand(program: Command, context: Context): void {
  program
    .command("diff")
    .summary("compare what two pieces of evidence say")
    .description("Compare two pieces of evidence, claim by claim. Neither is verified.")
    .argument("<before>", "as for 'verify'")
    .argument("<after>", "as for 'verify'")
    .option("--json", "print {changes: [{path, before, after}]}")
    .addHelpText("after", EXAMPLES)
    .action(async (before: string, after: string, options: { json?: boolean }) => {
      const { runDiff } = await import("../evidence/commands.ts");
      context.exitCode = runDiff(before, after, options);
    });
}
