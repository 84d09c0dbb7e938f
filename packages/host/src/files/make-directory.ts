/** Makes directories for files of Donjon's own. */
import { mkdirSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { DonjonError } from "@donjon/core/errors";

/** Nobody but this user. */
const PRIVATE = 0o700;
/** What the user's mask leaves, as for any other program: what is not Donjon's own. */
export const AS_USUAL = 0o777;

/**
 * Makes the directory and those above it that are missing. One at a time, from the top: the engine's own recursive form
 * (26.10) never ends where a parent is there and takes no entries, as below `/proc`.
 *
 * @param mode of all that are made
 * @throws DonjonError `files/write`
 */
export function makeDirectory(path: string, mode = PRIVATE): void {
  const missing: string[] = [];
  for (let at = resolve(path); !isThere(at, path); at = dirname(at)) missing.push(at);
  for (const at of missing.reverse()) {
    try {
      mkdirSync(at, { mode });
    } catch (cause) {
      // Another process may have been quicker.
      if ((cause as NodeJS.ErrnoException).code === "EEXIST" && isThere(at, path)) continue;
      throw unusable(path, describeFailure(at, cause), cause);
    }
  }
}

/** Throws where something other than a directory is in the way. */
function isThere(at: string, path: string): boolean {
  try {
    const stat = statSync(at, { throwIfNoEntry: false });
    if (stat === undefined || stat.isDirectory()) return stat !== undefined;
  } catch (cause) {
    throw unusable(path, describeFailure(at, cause), cause);
  }
  throw unusable(path, `'${at}' is there and is no directory`);
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "this user may not",
  EPERM: "this user may not",
  ENOENT: "nothing can be made there",
  EEXIST: "a link that leads nowhere is in its place",
  EROFS: "the file system is read-only",
  ENOSPC: "the disk is full",
  ENAMETOOLONG: "the name is too long",
  ELOOP: "its links go round",
};

function describeFailure(at: string, cause: unknown): string {
  const { code = "", message } = cause as NodeJS.ErrnoException;
  return `'${at}' failed, because ${REASONS[code] ?? message}`;
}

function unusable(path: string, found: string, cause?: unknown): DonjonError {
  return new DonjonError(
    "files/write",
    `the directory '${path}' cannot be made: ${found}; choose a place where this user can write, by a flag of the command or by XDG_CACHE_HOME, XDG_CONFIG_HOME, XDG_STATE_HOME or XDG_RUNTIME_DIR`,
    { cause },
  );
}
