/** Runs workloads with the `donjon` command, as a user does, and gathers what came out. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import type { TestContext } from "node:test";

const ROOT = join(import.meta.dirname, "../..");
export const DONJON = process.env["DONJON"] ?? join(ROOT, "packages/cli/bin/donjon");

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** One packed directory: `host` is sent as `guest`, and comes back when it is writable. */
export interface Mount {
  readonly guest: string;
  readonly host: string;
  readonly writable?: boolean;
}

export interface Program {
  /** Path of the module. */
  readonly file: string;
  /** `args[0]`; tools that are many programs in one look at it. */
  readonly name?: string;
  readonly args: readonly string[];
  readonly mounts?: readonly Mount[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A folder of its own for one test, gone when the test ends. */
export async function makeFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "donjon-test-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** `donjon run --insecure` with these arguments. */
export function donjonRun(
  args: readonly string[],
  stdin: string | Uint8Array = "",
  env: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  return execute(DONJON, ["run", "--insecure", ...args], stdin, { ...process.env, ...env });
}

/** Writes a `donjon.toml` into `folder` that grants exactly what `program` says, and runs it. */
export async function runManifest(folder: string, program: Program): Promise<Finished> {
  const path = join(folder, "donjon.toml");
  await writeFile(path, encodeManifest(folder, program));
  return donjonRun([path]);
}

/** A JSON string is a TOML basic string as long as it holds no DEL. */
const quote = (text: string): string => JSON.stringify(text);

function encodeManifest(folder: string, program: Program): string {
  const lines = [`args = [${program.args.map(quote).join(", ")}]`, "", "[workload]"];
  lines.push(`file = ${quote(relative(folder, program.file))}`);
  if (program.name !== undefined) lines.push(`name = ${quote(program.name)}`);
  lines.push("", "[env]");
  for (const [name, value] of Object.entries(program.env ?? {})) {
    lines.push(`${quote(name)} = ${quote(value)}`);
  }
  lines.push("", "[[mounts]]", 'kind = "memory"', 'guest = "/tmp"');
  for (const { guest, host, writable } of program.mounts ?? []) {
    lines.push("", "[[mounts]]", 'kind = "packed"', `guest = ${quote(guest)}`);
    lines.push(`host = ${quote(relative(folder, host))}`);
    if (writable) lines.push("writable = true");
  }
  return `${lines.join("\n")}\n`;
}

/** A run that goes on while the test talks to it. */
export interface Running {
  /** Resolves when what it wrote to stdout or stderr so far holds `text`; rejects when it ends before. */
  waitFor(text: string): Promise<void>;
  readonly finished: Promise<Finished>;
}

/** `donjon run --insecure` with these arguments, not waited for; it is killed when the test ends. */
export function startRun(t: TestContext, args: readonly string[]): Running {
  const child = spawn(DONJON, ["run", "--insecure", ...args], { stdio: "pipe" });
  const finished = gather(child);
  t.after(async () => {
    child.kill("SIGKILL");
    await finished;
  });
  child.stdin.end();
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].on("data", (text: string) => {
      output[name] += text;
    });
  }
  const holds = (text: string): boolean =>
    output.stdout.includes(text) || output.stderr.includes(text);
  const waitFor = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (holds(text)) resolve();
      };
      child.stdout.on("data", look);
      child.stderr.on("data", look);
      child.on("close", () => reject(new Error(`ended before "${text}": ${output.stderr}`)));
      look();
    });
  return { waitFor, finished };
}

/** Runs a program of the machine; rejects when it cannot be started. */
export function execute(
  command: string,
  args: readonly string[],
  stdin: string | Uint8Array = "",
  env: NodeJS.ProcessEnv = process.env,
): Promise<Finished> {
  const child = spawn(command, args, { stdio: "pipe", env });
  const finished = gather(child);
  // A program need not read its input.
  child.stdin.on("error", () => {}).end(stdin);
  return finished;
}

function gather(child: ChildProcessWithoutNullStreams): Promise<Finished> {
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      output[name] += text;
    });
  }
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, ...output }));
  });
}
