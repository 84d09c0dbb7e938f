/**
 * Resolving a path, component by component, without ever leaving its base: `..` in the base, an
 * absolute path and an absolute link target all answer `-perm`, even when the rest of the path
 * would come back. Errors are those of Linux path resolution (path_resolution(7)) else.
 */
import { fail, type Outcome } from "../errno.ts";
import type { MemoryAnyNode, MemoryDirectory } from "./directory-node.ts";
import { fitsUtf8 } from "./utf8.ts";

/** Linux PATH_MAX, without its NUL. */
export const MAX_PATH_BYTES = 4095;
/** Linux NAME_MAX. */
export const MAX_NAME_BYTES = 255;
/** Links followed in one walk (Linux MAXSYMLINKS). */
export const MAX_LINKS = 40;

/** Whether a symlink in the last component is followed: `slash` and `bare` with, without a `/` after it. */
export type Follow = "always" | "slash" | "bare" | "never";

/** Where a path ends. */
export interface Place {
  readonly directory: MemoryDirectory;
  /** The last component; `.` and `..` name no entry. */
  readonly name: string;
  /** undefined: nothing there. */
  readonly node: MemoryAnyNode | undefined;
  /** The path ends in a name and `/`; after `.` and `..` it says nothing more. */
  readonly slash: boolean;
}

const SLASH = 0x2f;

export function walkPath(base: MemoryDirectory, path: string, follow: Follow): Place | Outcome {
  const refused = refusePath(path);
  if (refused !== 0) return refused;
  let directory = base;
  let rest = path;
  let start = 0;
  let links = 0;
  for (;;) {
    let end = rest.indexOf("/", start);
    if (end === -1) end = rest.length;
    const name = start === 0 && end === rest.length ? rest : rest.slice(start, end);
    start = end;
    while (rest.charCodeAt(start) === SLASH) start++;
    const last = start === rest.length;
    const slash = last && end < start;
    if (name === "." || name === "..") {
      if (name === "..") {
        if (directory === base) return fail("perm");
        directory = directory.parent;
      }
      if (last) return { directory, name, node: directory, slash: false };
      continue;
    }
    if (!fitsUtf8(name, MAX_NAME_BYTES)) return fail("nametoolong");
    const node = directory.get(name);
    if (node === undefined) {
      return last ? { directory, name, node, slash } : fail("noent");
    }
    if (node.kind === "symlink" && (!last || followsLast(follow, slash))) {
      if (++links > MAX_LINKS) return fail("loop");
      if (node.target.charCodeAt(0) === SLASH) return fail("perm");
      rest = last && !slash ? node.target : `${node.target}/${rest.slice(start)}`;
      start = 0;
      continue;
    }
    if (last) return { directory, name, node, slash };
    if (node.kind !== "directory") return fail("notdir");
    directory = node;
  }
}

function followsLast(follow: Follow, slash: boolean): boolean {
  return follow === "always" || follow === (slash ? "slash" : "bare");
}

/** 0, or the reason why `path` can lead nowhere. */
function refusePath(path: string): Outcome {
  if (path === "") return fail("noent");
  if (path.charCodeAt(0) === SLASH) return fail("perm");
  if (!fitsUtf8(path, MAX_PATH_BYTES)) return fail("nametoolong");
  if (path.includes("\0")) return fail("inval");
  if (!path.isWellFormed()) return fail("ilseq");
  return 0;
}
