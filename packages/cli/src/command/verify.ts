import type { Command } from "commander";
import { addEvidenceOptions, addFileOptions, type EvidenceOptions } from "../evidence/options.ts";
import type { Context } from "../program.ts";

const EXAMPLES = `
Examples:
  donjon verify report.bin -e vcek.der -e milan-crl.der --policy policy.toml
  donjon verify report.bin -e vcek.der --allow missing-crl     nobody says whether AMD revoked it
  donjon verify quote.bin -c collateral.json --at 2026-06-01T00:00:00Z
  donjon verify quote.bin -c pcs/                              answers of Intel's PCS, by file name
  donjon verify keep.pem -c collateral.json                    a certificate with evidence in it
  curl -s https://keep.example/report | donjon verify - -e vcek.der
  donjon verify proof.donjon                                   everything asked again, offline

The file is told by its content: SNP report, SGX or TDX quote, Nitro document, raw or as hexadecimal or
base64; certificate or request with evidence in it; JSON of other tools; Azure's HCL report; proof bundle.

Exit codes: 0 accepted, 120 refused, 2 wrong usage, a file that cannot be read, a wrong policy.
`;

export function addVerifyCommand(program: Command, context: Context): void {
  const command = program
    .command("verify")
    .summary("verify evidence, offline")
    .description("Is this evidence genuine, and do I accept it? Nothing is fetched.")
    .argument("<file>", "evidence, in any form; - for standard input");
  addEvidenceOptions(addFileOptions(command))
    .option("--json", "print {kind, verdict, claims, checks, ...}")
    .addHelpText("after", EXAMPLES)
    .action(async (file: string, options: EvidenceOptions) => {
      const { runVerify } = await import("../evidence/commands.ts");
      context.exitCode = await runVerify(file, options);
    });
}
