import type { Command } from "commander";
import type { Context } from "../program.ts";

const EXAMPLES = `
Examples:
  donjon platform                      what is here, what is missing, what to do about it
  donjon platform --json               {backend, backends, findings}
  donjon platform && donjon run app.wasm

KVM is tried by booting the built image's kernel on it, once for each boot of this machine.
SNP and TDX Keeps are not yet run on hardware: what they need was looked for, not tried.

Exit codes: 0 a Keep that hardware protects can run here, 1 only unprotected ones (run --insecure).
`;

export function addPlatformCommand(program: Command, context: Context): void {
  program
    .command("platform")
    .summary("say which kinds of Keep this machine can run")
    .description("Say what this machine offers for Keeps, what was tried, and what to do.")
    .option("--json", "print {backend, backends, findings}")
    .addHelpText("after", EXAMPLES)
    .action(async (options: { json?: boolean }) => {
      const { runPlatform } = await import("../platform/commands.ts");
      context.exitCode = await runPlatform(options);
    });
}
