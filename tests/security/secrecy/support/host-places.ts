/** Where a host's files and processes would show what they were told. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { holds } from "./needles.ts";

/** Paths below `folder`, those of files that hold a needle. */
export function searchFiles(folder: string, needles: readonly Buffer[]): string[] {
  return listFiles(folder).filter((path) => {
    try {
      return holds(readFileSync(path), needles);
    } catch {
      return false;
    }
  });
}

export function listFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true);
}

/** `/proc/PID/cmdline` or `environ` of every process that may be looked at, those that hold a needle. */
export function searchProcesses(what: "cmdline" | "environ", needles: readonly Buffer[]): string[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => {
    try {
      return holds(readFileSync(`/proc/${pid}/${what}`), needles);
    } catch {
      return false;
    }
  });
}
