/** Runs the launcher as a user does. */
import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";

export const LAUNCHER = join(import.meta.dirname, "../bin/donjon");
export const EXAMPLES = join(import.meta.dirname, "../../../examples");

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface CommandOptions extends SpawnOptions {
  /** Bytes for stdin; nothing when not given. */
  readonly input?: string | Uint8Array;
}

export function startCommand(args: readonly string[], options: SpawnOptions = {}): ChildProcess {
  const { NO_COLOR: _, ...env } = process.env;
  return spawn(LAUNCHER, args, { stdio: "pipe", ...options, env: { ...env, ...options.env } });
}

export async function runCommand(
  args: readonly string[],
  { input, ...options }: CommandOptions = {},
): Promise<Ended> {
  const child = startCommand(args, options);
  child.stdin?.on("error", () => {});
  child.stdin?.end(input);
  return waitFor(child);
}

export function waitFor(child: ChildProcess): Promise<Ended> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => stderr.push(chunk));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      resolve({ code, signal, stdout: Buffer.concat(stdout), stderr: `${Buffer.concat(stderr)}` });
    });
  });
}

/** A directory of its own for one test; keys are relative paths. */
export function createFiles(
  t: TestContext,
  files: Readonly<Record<string, string | Uint8Array>>,
): string {
  const root = mkdtempSync(join(tmpdir(), "donjon-cli-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  }
  return root;
}
