/** Paths of a tree on the owner's disk. Paths in changes come from a guest and are hostile. */
import { type BigIntStats, lstatSync } from "node:fs";
import { join } from "node:path";
import { DonjonError, type ErrorCode } from "@donjon/core/errors";
import { explainSystemError } from "@donjon/core/system-error";
import { parentPath } from "@donjon/wasi/files/packed-tree";

/** Names at the top of a tree that start so are Donjon's own: never packed, never taken from a guest. */
export const RESERVED_PREFIX = ".donjon-";
/** Where changes are staged; its presence marks a write-back that is under way or was cut off. */
export const STAGE_NAME = ".donjon-changes";

export function isReserved(path: string): boolean {
  return path.startsWith(RESERVED_PREFIX);
}

/** Like `lstat`; `null` when nothing is there, and when a parent is no directory. */
export function lookAt(path: string): BigIntStats | null {
  try {
    return lstatSync(path, { bigint: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw error;
  }
}

/**
 * Throws unless every parent of `path` below `root` is a real directory of the same file system: so
 * no write goes through a symlink, and every rename stays in one file system.
 */
export function checkParents(root: string, path: string, device: bigint): void {
  const parents: string[] = [];
  for (let parent = parentPath(path); parent !== ""; parent = parentPath(parent))
    parents.push(parent);
  for (const parent of parents.reverse()) {
    const stat = lookAt(join(root, parent));
    if (stat === null || !stat.isDirectory()) {
      throw fail("files/conflict", `'${parent}' is no directory any more in '${root}'`);
    }
    if (stat.dev !== device) {
      throw fail(
        "files/write",
        `'${parent}' in '${root}' is another file system; mount it on its own`,
      );
    }
  }
}

export function fail(code: ErrorCode, message: string, cause?: unknown): DonjonError {
  return new DonjonError(code, message, cause === undefined ? {} : { cause });
}

/** Turns an error of the file system into a `DonjonError`. */
export function failWith(code: ErrorCode, doing: string, cause: unknown): DonjonError {
  if (cause instanceof DonjonError) return cause;
  return fail(code, `${doing} failed: ${explainSystemError(cause)}`, cause);
}
