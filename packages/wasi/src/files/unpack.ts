/** Making a file system from a packed tree, its contents used in place. */
import { DonjonError } from "@donjon/core/errors";
import { entryCost, type MemoryAnyNode, MemoryDirectory } from "./directory-node.ts";
import { MemoryFile } from "./file-node.ts";
import { MemoryFiles, type MemoryFilesOptions } from "./memory-files.ts";
import { type PackedTree, parentPath, type TreeEntry } from "./packed-tree.ts";
import { DIRECTORY_COST_BYTES, NODE_COST_BYTES } from "./space.ts";
import { MemorySymlink, symlinkCost } from "./symlink-node.ts";
import { utf8Length } from "./utf8.ts";

/**
 * A file system that shows `tree`. The packed bytes must never be changed afterwards; they count as
 * used as long as the file system lives, because what is kept in place is kept whole.
 * Throws `DonjonError`: `files/limit` when the tree does not fit, `bytes/invalid` for changes.
 */
export function unpackTree(tree: PackedTree, options: MemoryFilesOptions): MemoryFiles {
  if (tree.changes) {
    throw new DonjonError("bytes/invalid", "packed tree: found changes, wanted a whole tree");
  }
  const files = new MemoryFiles({ ...options, readOnly: false });
  const nodes = new Map<string, MemoryAnyNode>([["", files.root]]);
  takeSpace(files, tree, tree.length);
  for (const entry of tree.entries) addEntry(files, tree, entry, nodes);
  if (tree.times) {
    // Adding entries touched their parents, so times come last.
    for (const entry of tree.entries) {
      if (!("modified" in entry)) continue;
      const node = nodes.get(entry.path) as MemoryAnyNode;
      node.modified = entry.modified;
      node.accessed = entry.modified;
    }
  }
  files.readOnly = options.readOnly ?? false;
  return files;
}

function addEntry(
  files: MemoryFiles,
  tree: PackedTree,
  entry: TreeEntry,
  nodes: Map<string, MemoryAnyNode>,
): void {
  const parent = parentPath(entry.path);
  const name = entry.path.slice(parent === "" ? 0 : parent.length + 1);
  const directory = nodes.get(parent) as MemoryDirectory;
  takeSpace(files, tree, entryCost(name) + nodeCost(entry));
  const node =
    entry.kind === "link" ? nodes.get(entry.to) : createNode(files, tree, entry, directory);
  directory.add(name, node as MemoryAnyNode);
  nodes.set(entry.path, node as MemoryAnyNode);
}

function createNode(
  files: MemoryFiles,
  tree: PackedTree,
  entry: TreeEntry,
  directory: MemoryDirectory,
): MemoryAnyNode {
  const inode = files.takeInode();
  if (entry.kind === "directory") return new MemoryDirectory(files, inode, directory);
  if (entry.kind === "symlink") return new MemorySymlink(files, inode, entry.target);
  if (entry.kind !== "file") throw new DonjonError("internal", `cannot unpack ${entry.kind}`);
  const file = new MemoryFile(files, inode, tree.contentOf(entry));
  file.executable = entry.executable;
  return file;
}

function nodeCost(entry: TreeEntry): number {
  if (entry.kind === "link") return 0;
  if (entry.kind === "directory") return DIRECTORY_COST_BYTES;
  return entry.kind === "symlink" ? symlinkCost(utf8Length(entry.target)) : NODE_COST_BYTES;
}

function takeSpace(files: MemoryFiles, tree: PackedTree, bytes: number): void {
  if (files.space.take(bytes)) return;
  throw new DonjonError(
    "files/limit",
    `found a packed tree of ${tree.length} bytes and ${tree.entries.length} entries, ` +
      `wanted one that fits ${files.limit} bytes; raise the limit of its mount`,
  );
}
