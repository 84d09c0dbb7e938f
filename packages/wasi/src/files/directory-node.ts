import type { DirectoryEntry, DirectoryNode } from "../capability/files.ts";
import type { MemoryFile } from "./file-node.ts";
import type { MemoryFiles } from "./memory-files.ts";
import { MemoryNode } from "./node.ts";
import { DIRECTORY_COST_BYTES, ENTRY_COST_BYTES } from "./space.ts";
import type { MemorySymlink } from "./symlink-node.ts";

export type MemoryAnyNode = MemoryFile | MemoryDirectory | MemorySymlink;

interface Entry {
  readonly name: string;
  readonly cookie: number;
  /** undefined: removed, but still in `#order`. */
  node: MemoryAnyNode | undefined;
}

/** Cookies of `.` and `..`; names follow. */
const DOT = 1;
const DOT_DOT = 2;

/** Removed entries that `#order` may hold before it is rebuilt. */
const MAX_REMOVED = 32;

export class MemoryDirectory extends MemoryNode implements DirectoryNode {
  readonly kind = "directory";
  /** The directory that `..` means; the root is its own parent. */
  parent: MemoryDirectory;
  readonly #entries = new Map<string, Entry>();
  /**
   * Entries by ascending cookie. A name gets the next cookie when it is added and keeps it until it
   * is removed, so listing can stop and go on at any cookie, found by bisection.
   */
  #order: Entry[] = [];
  #removed = 0;
  #subdirectories = 0;
  #nextCookie = DOT_DOT + 1;

  constructor(fs: MemoryFiles, inode: bigint, parent: MemoryDirectory | null) {
    super(fs, inode);
    this.parent = parent ?? this;
    if (parent === null) this.names = 1;
  }

  /** Directories have no size of their own. */
  override get size(): number {
    return 0;
  }

  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  /** Removed from the tree; a descriptor may still hold it. Nothing can be created in it. */
  get isRemoved(): boolean {
    return this.names === 0;
  }

  /** Its own name, `.`, and the `..` of each subdirectory. */
  override get links(): number {
    return this.isRemoved ? 0 : 2 + this.#subdirectories;
  }

  get(name: string): MemoryAnyNode | undefined {
    return this.#entries.get(name)?.node;
  }

  /** Whether `directory` is this one or lies below it. */
  contains(directory: MemoryDirectory): boolean {
    let at = directory;
    while (at !== this && at.parent !== at) at = at.parent;
    return at === this;
  }

  /** Names with their nodes, in no special order. */
  *children(): Generator<[string, MemoryAnyNode], void, undefined> {
    for (const { name, node } of this.#entries.values()) if (node) yield [name, node];
  }

  /** Gives `node` a name. The caller has taken `entryCost(name)` and made sure the name is free. */
  add(name: string, node: MemoryAnyNode): void {
    const entry: Entry = { name, cookie: this.#nextCookie++, node };
    this.#entries.set(name, entry);
    this.#order.push(entry);
    this.#adopt(node);
    this.touch();
  }

  /** Lets an existing name mean another node; the entry keeps its cookie. */
  replace(name: string, node: MemoryAnyNode): void {
    const entry = this.#entries.get(name) as Entry;
    const old = entry.node as MemoryAnyNode;
    entry.node = node;
    this.#adopt(node);
    this.#disown(old);
    this.touch();
  }

  remove(name: string): void {
    const entry = this.#entries.get(name) as Entry;
    const node = entry.node as MemoryAnyNode;
    this.#entries.delete(name);
    entry.node = undefined;
    this.#removed++;
    if (this.#removed > MAX_REMOVED && this.#removed * 2 > this.#order.length) {
      this.#order = this.#order.filter((kept) => kept.node !== undefined);
      this.#removed = 0;
    }
    this.fs.space.give(entryCost(name));
    this.#disown(node);
    this.touch();
  }

  *list(cookie: bigint): Generator<DirectoryEntry, void, undefined> {
    if (this.isRemoved) return;
    const { kind } = this;
    if (cookie < DOT) yield { cookie: BigInt(DOT), name: ".", kind, inode: this.inode };
    if (cookie < DOT_DOT) {
      yield { cookie: BigInt(DOT_DOT), name: "..", kind, inode: this.parent.inode };
    }
    let order = this.#order;
    let index = firstAfter(order, Number(cookie));
    while (index < order.length) {
      const { name, node, cookie: at } = order[index++] as Entry;
      if (node === undefined) continue;
      yield { cookie: BigInt(at), name, kind: node.kind, inode: node.inode };
      if (order !== this.#order) {
        order = this.#order;
        index = firstAfter(order, at);
      }
    }
  }

  override drop(): void {
    this.fs.space.give(DIRECTORY_COST_BYTES);
  }

  #adopt(node: MemoryAnyNode): void {
    node.names++;
    if (node.kind === "directory") {
      node.parent = this;
      this.#subdirectories++;
    }
    node.changed = this.fs.now();
  }

  #disown(node: MemoryAnyNode): void {
    node.names--;
    if (node.kind === "directory") this.#subdirectories--;
    node.changed = this.fs.now();
  }
}

function firstAfter(order: readonly Entry[], cookie: number): number {
  let low = 0;
  let high = order.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((order[middle] as Entry).cookie <= cookie) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What a name in a directory counts. */
export function entryCost(name: string): number {
  return ENTRY_COST_BYTES + 2 * name.length;
}
