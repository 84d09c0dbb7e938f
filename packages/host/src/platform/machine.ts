/** How probes see a machine: files below a root, and commands. Tests give them another. */
import { execFile } from "node:child_process";
import { accessSync, constants, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

export type Access = "usable" | "denied" | "missing";

export interface CommandResult {
  /** `null`: it could not be started, or was ended by its time limit. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** None of these throws or rejects. */
export interface Machine {
  /** The text of a small file, trimmed; `null` when it cannot be read. */
  readText(path: string): string | null;
  /** Names in a folder; none when it cannot be read. */
  list(path: string): readonly string[];
  exists(path: string): boolean;
  /** Whether this user may read and write it. */
  access(path: string): Access;
  run(program: string, args: readonly string[]): Promise<CommandResult>;
}

/** A command of a probe answers at once or not at all. */
const COMMAND_MS = 5000;
const MAX_OUTPUT_BYTES = 1 << 20;
/** Files of `/proc` and `/sys` are small; anything else is not read to its end. */
const MAX_TEXT_CHARACTERS = 1 << 20;

/** @param root where `/` is; commands are this machine's in any case */
export function createMachine(root = "/"): Machine {
  return {
    readText: (path) =>
      attempt(() => readFileSync(join(root, path), "utf8").slice(0, MAX_TEXT_CHARACTERS).trim()),
    list: (path) => attempt(() => readdirSync(join(root, path)).sort()) ?? [],
    exists: (path) => attempt(() => statSync(join(root, path))) !== null,
    access(path) {
      try {
        accessSync(join(root, path), constants.R_OK | constants.W_OK);
        return "usable";
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        return code === "EACCES" || code === "EPERM" ? "denied" : "missing";
      }
    },
    run: (program, args) =>
      new Promise((resolve) => {
        const options = {
          timeout: COMMAND_MS,
          killSignal: "SIGKILL",
          maxBuffer: MAX_OUTPUT_BYTES,
          env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin" },
          encoding: "utf8",
        } as const;
        execFile(program, args, options, (error, stdout, stderr) => {
          const code = error === null ? 0 : typeof error.code === "number" ? error.code : null;
          resolve({ code, stdout, stderr });
        }).stdin?.end();
      }),
  };
}

function attempt<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
