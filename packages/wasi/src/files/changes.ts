/**
 * What changed in a file system since it was unpacked, as entries of a packed tree.
 *
 * A file is given with its whole content when its content, time, executable bit or set of names
 * changed, and then under all its names: hard links come complete or not at all. A rename is a
 * removal and a new entry. Hard links between symlinks are not kept.
 */
import { DonjonError } from "@donjon/core/errors";
import type { MemoryAnyNode, MemoryDirectory } from "./directory-node.ts";
import type { MemoryFile } from "./file-node.ts";
import type { MemoryFiles } from "./memory-files.ts";
import {
  MAX_TREE_DEPTH,
  MAX_TREE_ENTRIES,
  type PackedTree,
  parentPath,
  type TreeEntry,
  type TreeFile,
  type TreeForm,
  type TreeLimits,
} from "./packed-tree.ts";
import { compareUtf8 } from "./utf8.ts";

export interface TreeChanges {
  readonly entries: readonly TreeEntry[];
  /** For `planTree`: `changes` is set, `times` is as in the tree. */
  readonly form: TreeForm;
  /** For `packTree`. The file system must not change until all is read. */
  readonly source: (file: TreeFile) => Iterable<Uint8Array>;
}

/**
 * Compares `files` with the tree it was unpacked from. Throws `DonjonError` `files/limit` when the
 * workload made more entries or deeper directories than a packed tree can carry, or when the changed
 * files are larger than `limits`: holes take no space in memory, but do in a packed tree. The
 * default is the limit of the file system, which only holes can exceed.
 */
export function collectChanges(
  files: MemoryFiles,
  tree: PackedTree,
  limits: TreeLimits = { maxBytes: files.limit },
): TreeChanges {
  const now = snapshot(files.root);
  const comparison = new Comparison(now, tree);
  const entries = [...comparison.removals(), ...comparison.changed()];
  refuseLarge(entries, limits);
  return {
    entries,
    form: { times: tree.times, changes: true },
    source: (file) => (now.get(file.path) as MemoryFile).content.pieces(),
  };
}

function refuseLarge(entries: readonly TreeEntry[], { maxBytes }: TreeLimits): void {
  const changed = entries.filter((entry) => entry.kind === "file");
  const bytes = changed.reduce((sum, file) => sum + file.size, 0);
  if (bytes <= maxBytes) return;
  const largest = changed.reduce((most, file) => (file.size > most.size ? file : most));
  throw tooMuch(
    `changed files of ${bytes} bytes (the largest is ${JSON.stringify(largest.path)})`,
    `${maxBytes}`,
  );
}

/** All nodes below `root` by path, in byte order. */
function snapshot(root: MemoryDirectory): Map<string, MemoryAnyNode> {
  const found: [string, MemoryAnyNode][] = [];
  const waiting: { directory: MemoryDirectory; prefix: string; depth: number }[] = [
    { directory: root, prefix: "", depth: 1 },
  ];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    if (at.depth > MAX_TREE_DEPTH && !at.directory.isEmpty) {
      throw tooMuch(`directories ${at.depth} deep`, `${MAX_TREE_DEPTH}`);
    }
    for (const [name, node] of at.directory.children()) {
      const path = at.prefix + name;
      found.push([path, node]);
      if (node.kind === "directory") {
        waiting.push({ directory: node, prefix: `${path}/`, depth: at.depth + 1 });
      }
    }
    if (found.length > MAX_TREE_ENTRIES) throw tooMuch("more entries", `${MAX_TREE_ENTRIES}`);
  }
  return new Map(found.sort(([a], [b]) => compareUtf8(a, b)));
}

class Comparison {
  readonly #now: ReadonlyMap<string, MemoryAnyNode>;
  readonly #tree: PackedTree;
  readonly #then = new Map<string, TreeEntry>();
  /** Files with more names than one, and the first of these. */
  readonly #firstName = new Map<MemoryAnyNode, string>();
  readonly #changedFiles = new Set<MemoryAnyNode>();

  constructor(now: ReadonlyMap<string, MemoryAnyNode>, tree: PackedTree) {
    this.#now = now;
    this.#tree = tree;
    for (const entry of tree.entries) this.#then.set(entry.path, entry);
    for (const [path, node] of now) {
      if (node.kind === "file" && !this.#firstName.has(node)) this.#firstName.set(node, path);
    }
    for (const [path, node] of now) {
      if (node.kind !== "file" || this.#changedFiles.has(node)) continue;
      if (this.#fileChanged(path, node)) this.#changedFiles.add(node);
    }
  }

  /** Topmost paths that are gone. What lay below a directory that is gone or replaced is implied. */
  *removals(): Generator<TreeEntry, void, undefined> {
    for (const { path } of this.#tree.entries) {
      if (this.#now.has(path)) continue;
      const parent = parentPath(path);
      if (parent !== "" && this.#now.get(parent)?.kind !== "directory") continue;
      // A directory that took the place of another kind had nothing below it then.
      yield { kind: "removed", path };
    }
  }

  *changed(): Generator<TreeEntry, void, undefined> {
    for (const [path, node] of this.#now) {
      const { modified } = node;
      if (node.kind === "file") {
        if (this.#changedFiles.has(node)) yield this.#fileEntry(path, node);
      } else if (node.kind === "directory") {
        if (this.#differs(path, node))
          yield { kind: "directory", path, modified: this.#time(modified) };
      } else if (this.#differs(path, node)) {
        yield { kind: "symlink", path, target: node.target, modified: this.#time(modified) };
      }
    }
  }

  #differs(path: string, node: MemoryAnyNode): boolean {
    const then = this.#then.get(path);
    if (then === undefined || then.kind !== node.kind) return true;
    if (node.kind === "symlink" && then.kind === "symlink" && then.target !== node.target)
      return true;
    return "modified" in then && this.#tree.times && then.modified !== node.modified;
  }

  #fileChanged(path: string, node: MemoryFile): boolean {
    const then = this.#then.get(path);
    const first = this.#firstName.get(node);
    if (then?.kind === "link") return then.to !== first;
    if (then?.kind !== "file" || first !== path) return true;
    if (this.#differs(path, node) || then.executable !== node.executable) return true;
    return !node.content.equals(this.#tree.contentOf(then));
  }

  #fileEntry(path: string, node: MemoryFile): TreeEntry {
    const first = this.#firstName.get(node) as string;
    if (first !== path) return { kind: "link", path, to: first };
    const { size, executable } = node;
    return { kind: "file", path, size, executable, modified: this.#time(node.modified) };
  }

  #time(modified: bigint): bigint {
    return this.#tree.times ? modified : 0n;
  }
}

function tooMuch(found: string, most: string): DonjonError {
  return new DonjonError(
    "files/limit",
    `found ${found} in a packed mount, wanted at most ${most}; have the workload keep less there`,
  );
}
