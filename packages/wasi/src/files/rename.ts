/** rename(2), with the order of checks of Linux (fs/namei.c, `do_renameat2` and `vfs_rename`). */
import { fail, type Outcome } from "../errno.ts";
import { entryCost, type MemoryAnyNode } from "./directory-node.ts";
import type { MemoryFiles } from "./memory-files.ts";
import type { Place } from "./path-walk.ts";

/** Moves the entry at `from` to `to`; both places were walked without following the last link. */
export function renameEntry(fs: MemoryFiles, from: Place, to: Place): Outcome {
  if (isDots(from.name) || isDots(to.name)) return fail("busy");
  const { node } = from;
  if (node === undefined) return fail("noent");
  const refused = refuseRename(node, from, to);
  if (refused !== 0) return refused;
  const replaced = to.node;
  if (replaced === node) return 0;
  if (replaced === undefined) {
    if (to.directory.isRemoved) return fail("noent");
    const name = fs.ownName(to.name);
    if (!fs.space.take(entryCost(name))) return fail("nospc");
    to.directory.add(name, node);
  } else {
    to.directory.replace(to.name, node);
  }
  from.directory.remove(from.name);
  if (replaced !== undefined) fs.unlinked(replaced);
  return 0;
}

function refuseRename(node: MemoryAnyNode, from: Place, to: Place): Outcome {
  if (node.kind === "directory") {
    if (node.contains(to.directory)) return fail("inval");
  } else if (from.slash || to.slash) {
    return fail("notdir");
  }
  const replaced = to.node;
  if (replaced === undefined || replaced === node) return 0;
  if (replaced.kind !== "directory") return node.kind === "directory" ? fail("notdir") : 0;
  if (replaced.contains(from.directory)) return fail("notempty");
  if (node.kind !== "directory") return fail("isdir");
  return replaced.isEmpty ? 0 : fail("notempty");
}

function isDots(name: string): boolean {
  return name === "." || name === "..";
}
