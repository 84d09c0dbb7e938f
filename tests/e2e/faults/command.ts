/** Starts the `donjon` command with a guest, and looks after every process that comes of it. */
import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { DONJON } from "../../support/keep.ts";
import { findKeep, listTree, type ProcessMark, until } from "../../support/processes.ts";

export const guestPath = (name: string): string =>
  join(import.meta.dirname, "../../security/guests", `${name}.wasm`);
export const examplePath = (name: string): string =>
  join(import.meta.dirname, "../../../examples", name);

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
}

export interface Command {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** What stderr holds so far; empty when it is not a pipe. */
  readonly stderr: () => string;
  /** Names in the folder that the command has for temporary files. */
  readonly temporary: () => string[];
  /** Resolves when stderr holds `text`. */
  said(text: string): Promise<unknown>;
}

/** `donjon run --insecure ...args`; killed when the test ends. */
export function startCommand(
  t: TestContext,
  args: readonly string[],
  stdio: StdioOptions = "pipe",
): Command {
  const folder = mkdtempSync(join(tmpdir(), "donjon-test-"));
  const env = { ...process.env, TMPDIR: folder };
  const child = spawn(DONJON, ["run", "--insecure", ...args], { stdio, env });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code, signal) => resolve({ code, signal }));
  });
  t.after(() => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true });
  });
  let stderr = "";
  child.stderr?.setEncoding("utf8").on("data", (piece: string) => {
    stderr += piece;
  });
  child.stdin?.on("error", () => {});
  const said = (text: string) => until(`stderr says "${text}"`, () => stderr.includes(text));
  return { child, ended, stderr: () => stderr, temporary: () => readdirSync(folder), said };
}

/** The command, the Keep and everything between. */
export async function listAll({
  child,
}: Command): Promise<{ keep: ProcessMark; all: ProcessMark[] }> {
  const keep = await findKeep(child.pid!);
  return { keep, all: listTree(child.pid!) };
}
