import { type Command, InvalidArgumentError } from "commander";
import type { Context } from "../program.ts";

const EXAMPLES = `
Examples:
  donjon policy init                                     of the image built here, for all hardware it can be measured for
  donjon policy init --tee snp --cpu EPYC-Genoa --vcpus 2 -o snp.toml
  donjon policy init --tee sgx --mr-enclave HEX          what Gramine's signer printed
  donjon policy init --tee process -o try.toml           for Keeps that nothing protects: to try policies out

'donjon image build' makes the image. All keys of a policy: docs/formats/policy.md.
`;

interface InitOptions {
  readonly output: string;
}

export function addPolicyCommand(program: Command, context: Context): void {
  const policy = program
    .command("policy")
    .summary("write down which evidence to accept")
    .description("Policies: which evidence to accept.");
  policy.addHelpText("after", EXAMPLES);
  policy
    .command("init")
    .summary("write a policy for this image")
    .description("Write a policy that accepts this image and nothing else, with comments.")
    .option("--tee <kinds>", "some of snp, tdx, sgx, with commas between; or process, vm")
    .option("--image <dir>", "the folder of an image; the one built last when not given")
    .option("--firmware <file>", "snp, tdx: the OVMF build; this machine's own when not given")
    .option("--cpu <model>", "snp: QEMU's name of the processor model")
    .option("--vcpus <n>", "snp: virtual processors; 1 when not given", readCount)
    .option("--mr-enclave <hex>", "sgx: an accepted enclave; may be repeated", readDigest)
    .option("--mr-signer <hex>", "sgx: an accepted signer; may be repeated", readDigest)
    .option("-o, --output <file>", "where to write it; - for stdout", "policy.toml")
    .option("-f, --force", "write over a file that is there")
    .option("--json", "tell what was written as one line of JSON on stderr")
    .addHelpText("after", EXAMPLES)
    .action(async (options: InitOptions) => {
      const { runPolicyInit } = await import("../deploy/commands.ts");
      context.exitCode = await runPolicyInit(options);
    });
}

function readCount(text: string): number {
  const count = Number(text);
  if (/^[0-9]+$/.test(text) && count >= 1 && count <= 4096) return count;
  throw new InvalidArgumentError("a number from 1 to 4096 is wanted");
}

function readDigest(text: string, before: readonly string[] = []): readonly string[] {
  if (/^[0-9a-f]{64}$/i.test(text)) return [...before, text.toLowerCase()];
  throw new InvalidArgumentError("64 digits of hex are wanted");
}
