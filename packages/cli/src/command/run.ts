import { DonjonError } from "@donjon/core/errors";
import type { Command } from "commander";
import { startKeep, startVmKeep } from "../early-keep.ts";
import { addEvidenceFlags, type EvidenceFlags } from "../keeps/options.ts";
import { Progress } from "../output/progress.ts";
import { watchStdout } from "../output/stdout.ts";
import type { Context } from "../program.ts";
import { Interrupted } from "../run/drive.ts";
import { executeRun } from "../run/execute.ts";
import { finishRun } from "../run/finish.ts";
import { applyFlags } from "../run/flags.ts";
import { addWorkloadOptions, type WorkloadOptions } from "../run/options.ts";
import { prepareLazily, prepareRun } from "../run/prepare.ts";
import { resolveTarget } from "../run/target.ts";

interface RunOptions extends WorkloadOptions, EvidenceFlags {
  readonly attest?: boolean;
  readonly proof?: string;
  readonly printManifest?: boolean;
}

const EXAMPLES = `
Examples:
  donjon run --insecure app.wasm -- input.txt       arguments of the program come after --
  donjon run --insecure .                           donjon.toml, else Enarx.toml, else main.wasm
  donjon run --insecure app.wasm --dir data:/data:rw     changes in ./data come back at exit
  donjon run --insecure --backend vm app.wasm       in a virtual machine
  donjon run --insecure app.wasm --listen http=127.0.0.1:8080
  API_KEY=x donjon run --insecure app.wasm --secret API_KEY
  donjon run app.wasm --dir data --print-manifest   what would be delivered

The summary goes to stderr, on a terminal or with --summary; with --json as one line of JSON.
No variable and no file can say --insecure: it has to stand on the command line.
`;

export function addRunCommand(program: Command, context: Context): void {
  const command = program
    .command("run")
    .summary("run a program in a Keep")
    .description(
      "Run a program in a Keep. It gets what the manifest or the flags grant, and nothing else.",
    );
  addEvidenceFlags(addWorkloadOptions(command))
    .option(
      "--attest",
      "with --insecure: ask for simulated evidence all the same; --policy and --proof do, too",
    )
    .option("--proof <file>", "write what the Keep proved once it had the program")
    .option("--print-manifest", "print the manifest that would be delivered, and do not run")
    .addHelpText("after", EXAMPLES)
    .action(async (target: string, options: RunOptions) => {
      context.exitCode = await run(target, options, context);
    });
}

async function run(path: string, options: RunOptions, context: Context): Promise<number> {
  const progress = new Progress(process.stderr.isTTY === true && !options.quiet && !options.json);
  const resolve = () => {
    const target = resolveTarget(path, options.wasmcfgfile);
    if (!options.quiet && !options.json)
      for (const note of target.notes) progress.note(`donjon: ${note}`);
    return [target, applyFlags(target.manifest, options, context.rest)] as const;
  };
  const prepare = async () => prepareRun(...resolve(), progress);
  if (options.printManifest) {
    const { provision } = await prepare();
    const flush = watchStdout();
    process.stdout.write(provision.manifest);
    await flush();
    return 0;
  }
  try {
    if (asksForEvidence(options) || !isUnprotected(options)) {
      const { runAttested, startProtectedKeep } = await import("../deploy/commands.ts");
      refuseUnprotected(options);
      context.early ??= await startProtectedKeep(options.backend);
      return await runAttested(context.early, prepare, options, progress);
    }
    context.early ??= options.backend === "vm" ? await startVmKeep() : startKeep();
    const prepareHere = async () => prepareLazily(...resolve());
    const executed = await executeRun(context.early, prepareHere, progress);
    return finishRun(executed, options, progress, {
      backend: context.early.backend,
      protected: false,
      sandbox: context.early.keep.sandbox,
      image: context.early.keep.image,
      evidence: null,
    });
  } catch (error) {
    if (error instanceof Interrupted) return error.tell("run", options);
    throw error;
  } finally {
    context.early?.keep.kill();
  }
}

/** What names a proof or a policy wants evidence, though `--attest` is not said. */
function asksForEvidence({ attest, proof, policy }: RunOptions): boolean {
  return attest === true || proof !== undefined || policy !== undefined;
}

/** Whether nothing protects the Keep, and the caller has said that this will do. */
function isUnprotected({ insecure, backend = "process" }: RunOptions): boolean {
  return insecure === true && isUnprotectedBackend(backend);
}

function isUnprotectedBackend(backend: string): boolean {
  return backend === "process" || backend === "vm";
}

/** No protection is never a silent fallback (DESIGN section 8). */
function refuseUnprotected({ insecure, backend }: RunOptions): void {
  if (insecure || backend === undefined || !isUnprotectedBackend(backend)) return;
  throw new DonjonError(
    "backend/unprotected",
    `the backend '${backend}' has no hardware protection, so nothing was started: the host could read and change the program and its data`,
  );
}
