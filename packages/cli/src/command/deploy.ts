import { KEEP_NAME } from "@donjon/protocol/agent/keep-record";
import { type Command, InvalidArgumentError } from "commander";
import { addAgentOptions, addEvidenceFlags } from "../keeps/options.ts";
import type { Context } from "../program.ts";
import { addWorkloadOptions } from "../run/options.ts";

const EXAMPLES = `
Examples:
  donjon deploy --policy policy.toml app.wasm             to the agent here, on hardware that protects
  donjon deploy --agent https://keeps.example:4510 .      to another machine's; nothing else changes
  donjon deploy --insecure --detach --name web .          for development: nothing protects it
  donjon deploy --detach --proof web.donjon .             keep a proof; 'donjon verify web.donjon' asks it again
  donjon logs -f web; donjon attest web; donjon stop web

The Keep is made and proves what it is; its evidence is judged by the policy; only then is anything sent. Without a
policy the measurement has to be that of the image built here ('donjon policy init' writes that as a policy).
No variable and no file can say --insecure: it has to stand on the command line.

Exit codes: the program's own; 120 evidence refused, 125 Donjon failed. All: donjon help.
`;

export function addDeployCommand(program: Command, context: Context): void {
  const command = program
    .command("deploy")
    .summary("send a program to a Keep that has proved itself")
    .description(
      "Run a program in a Keep at an agent, on this machine or another. Nothing is sent before the Keep has proved what it is.",
    );
  addEvidenceFlags(addAgentOptions(addWorkloadOptions(command)))
    .option("-d, --detach", "leave it running: print the Keep's id and name")
    .option("--name <name>", "a name for the Keep: a-z, 0-9 and '-'", readName)
    .option("--proof <file>", "write what the Keep proved once it had the workload")
    .addHelpText("after", EXAMPLES)
    .action(async (target: string, options: object) => {
      const { runDeploy } = await import("../deploy/commands.ts");
      context.exitCode = await runDeploy(target, options, context.rest);
    });
}

function readName(text: string): string {
  if (KEEP_NAME.test(text)) return text;
  throw new InvalidArgumentError("a name of a-z, 0-9 and '-', at most 63 characters, is wanted.");
}
