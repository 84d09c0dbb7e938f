import type { Command } from "commander";
import { addAgentOptions, addEvidenceFlags } from "../keeps/options.ts";
import type { Context } from "../program.ts";

const EXAMPLES = `
Examples:
  donjon attest --policy policy.toml web                which hardware, image, manifest, workload, owner
  donjon attest --workload app.wasm --manifest donjon.toml web     refused when it runs anything else
  donjon attest --policy policy.toml https://keep.example:8443     a service: its certificate's own evidence
  donjon attest --fresh https://keep.example:8443       evidence over a nonce, from its well-known address
  donjon attest --insecure --proof web.donjon web       keep the answer; 'donjon verify' asks it again

Without --policy the measurement has to be that of the image built here. Of a service, who signed its certificate does
not matter: evidence has to speak for the key of the connection.

Exit codes: 0 accepted, and what was expected; 120 refused.
`;

export function addAttestCommand(program: Command, context: Context): void {
  const command = program
    .command("attest")
    .summary("ask a Keep, or a service in one, what it is")
    .description("Ask a running Keep what it is, verify the answer and explain it.")
    .argument("<keep>", "a Keep's name or id at the agent, or https://HOST:PORT");
  addEvidenceFlags(addAgentOptions(command))
    .option("--manifest <file>", "what it must run: the manifest's bytes, or sha256:HEX")
    .option("--workload <file>", "what it must run: the module, or sha256:HEX")
    .option("--proof <file>", "write the answer as a proof bundle")
    .option("--fresh", "https: evidence made now, not that of the certificate")
    .option("--insecure-root <file>", "https: trust this root: for simulated evidence")
    .option("--json", "print {target, verdict, manifest, workload, owner, ...} (docs/json.md)")
    .addHelpText("after", EXAMPLES)
    .action(async (keep: string, options: object) => {
      const { runAttest } = await import("../deploy/commands.ts");
      context.exitCode = await runAttest(keep, options);
    });
}
