/**
 * The in-memory file system of a Keep: the semantics of a Linux file system, with nothing of the
 * host behind it.
 *
 * Preopens: any directory of one `MemoryFiles` may be a preopen, and `link` and `rename` work
 * between all of them; between two `MemoryFiles` they answer `-xdev`. Whether a tree may be changed
 * is a property of the `MemoryFiles`, not of a preopen, so no second preopen can lead round it.
 *
 * It belongs to one thread: every operation is synchronous and runs to its end. `memory` arguments
 * may lie on a `SharedArrayBuffer`.
 */
import type { Clock } from "../capability/clock.ts";
import type { AnyNode, DirectoryNode, FileSystem, OpenOptions } from "../capability/files.ts";
import { fail, type Outcome } from "../errno.ts";
import { entryCost, type MemoryAnyNode, MemoryDirectory } from "./directory-node.ts";
import { MemoryFile } from "./file-node.ts";
import { type Follow, MAX_PATH_BYTES, type Place, walkPath } from "./path-walk.ts";
import { renameEntry } from "./rename.ts";
import { DIRECTORY_COST_BYTES, NODE_COST_BYTES, Space } from "./space.ts";
import { MemorySymlink, symlinkCost } from "./symlink-node.ts";
import { utf8Length } from "./utf8.ts";

export interface MemoryFilesOptions {
  /** Bytes that content, nodes and names may take; past it changes answer `-nospc`. */
  readonly limitBytes: number;
  /** Shared by file systems that have one limit together; `limitBytes` is not looked at then. */
  readonly space?: Space;
  readonly clock: Pick<Clock, "realtime">;
  /** Device number in `stat`; give each file system of a workload its own. Default: 1. */
  readonly device?: bigint;
  /** Every change answers `-rofs`. Default: false. */
  readonly readOnly?: boolean;
}

/** An empty file system. Throws `RangeError` when the limit is no number of bytes. */
export function createMemoryFiles(options: MemoryFilesOptions): MemoryFiles {
  return new MemoryFiles(options);
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export class MemoryFiles implements FileSystem {
  readonly root: MemoryDirectory;
  readonly space: Space;
  readonly device: bigint;
  /** Set by who makes the file system, once it is filled. */
  readOnly: boolean;
  readonly #clock: Pick<Clock, "realtime">;
  #nextInode = 1n;

  constructor(options: MemoryFilesOptions) {
    this.#clock = options.clock;
    this.space = options.space ?? new Space(options.limitBytes);
    this.device = options.device ?? 1n;
    this.readOnly = options.readOnly ?? false;
    this.root = new MemoryDirectory(this, this.takeInode(), null);
  }

  get used(): number {
    return this.space.used;
  }

  get limit(): number {
    return this.space.limit;
  }

  now(): bigint {
    return this.#clock.realtime();
  }

  takeInode(): bigint {
    return this.#nextInode++;
  }

  open(base: DirectoryNode, path: string, options: OpenOptions): MemoryAnyNode | Outcome {
    const { create, exclusive, directory } = options;
    if (directory && (create || exclusive || options.truncate)) return fail("inval");
    const place = this.#walk(base, path, followOnOpen(options));
    if (typeof place === "number") return place;
    if (create && place.slash) return fail("isdir");
    if (place.node === undefined) return create ? this.#createFile(place) : fail("noent");
    if (create && exclusive) return fail("exist");
    return this.#openNode(place.node, place.slash, options);
  }

  lookup(base: DirectoryNode, path: string, follow: boolean): MemoryAnyNode | Outcome {
    const place = this.#walk(base, path, follow ? "always" : "slash");
    if (typeof place === "number") return place;
    const { node, slash } = place;
    if (node === undefined) return fail("noent");
    return slash && node.kind !== "directory" ? fail("notdir") : node;
  }

  makeDirectory(base: DirectoryNode, path: string): Outcome {
    const place = this.#free(base, path, true);
    if (typeof place === "number") return place;
    return this.#create(place, DIRECTORY_COST_BYTES, () => {
      return new MemoryDirectory(this, this.takeInode(), place.directory);
    });
  }

  makeSymlink(base: DirectoryNode, path: string, target: string): Outcome {
    if (target === "") return fail("noent");
    if (target.startsWith("/")) return fail("perm");
    if (target.includes("\0")) return fail("inval");
    if (!target.isWellFormed()) return fail("ilseq");
    const targetBytes = utf8Length(target);
    if (targetBytes > MAX_PATH_BYTES) return fail("nametoolong");
    const place = this.#free(base, path, false);
    if (typeof place === "number") return place;
    return this.#create(place, symlinkCost(targetBytes), () => {
      return new MemorySymlink(this, this.takeInode(), target);
    });
  }

  link(
    fromBase: DirectoryNode,
    from: string,
    follow: boolean,
    toBase: DirectoryNode,
    to: string,
  ): Outcome {
    const node = this.lookup(fromBase, from, follow);
    if (typeof node === "number") return node;
    if (toBase.fs !== fromBase.fs) return fail("xdev");
    const place = this.#free(toBase, to, false);
    if (typeof place === "number") return place;
    if (node.kind === "directory") return fail("perm");
    return this.#create(place, 0, () => node);
  }

  rename(fromBase: DirectoryNode, from: string, toBase: DirectoryNode, to: string): Outcome {
    if (toBase.fs !== fromBase.fs) return fail("xdev");
    const source = this.#walk(fromBase, from, "never");
    if (typeof source === "number") return source;
    const target = this.#walk(toBase, to, "never");
    if (typeof target === "number") return target;
    if (this.readOnly) return fail("rofs");
    return renameEntry(this, source, target);
  }

  unlink(base: DirectoryNode, path: string): Outcome {
    const place = this.#walk(base, path, "never");
    if (typeof place === "number") return place;
    const { node, slash } = place;
    if (node === undefined) return fail("noent");
    if (node.kind === "directory") return fail("isdir");
    if (slash) return fail("notdir");
    if (this.readOnly) return fail("rofs");
    place.directory.remove(place.name);
    this.unlinked(node);
    return 0;
  }

  removeDirectory(base: DirectoryNode, path: string): Outcome {
    const place = this.#walk(base, path, "never");
    if (typeof place === "number") return place;
    const { node, name } = place;
    if (name === ".") return fail("inval");
    if (name === "..") return fail("notempty");
    if (node === undefined) return fail("noent");
    if (node.kind !== "directory") return fail("notdir");
    if (!node.isEmpty) return fail("notempty");
    if (this.readOnly) return fail("rofs");
    place.directory.remove(name);
    this.unlinked(node);
    return 0;
  }

  retain(node: AnyNode): void {
    this.#own(node).holders++;
  }

  release(node: AnyNode): void {
    const held = this.#own(node);
    if (held.holders === 0) throw new RangeError("release a node that no descriptor holds");
    held.holders--;
    this.unlinked(held);
  }

  /** Frees `node` when neither a name nor a descriptor leads to it. */
  unlinked(node: MemoryAnyNode): void {
    if (node.names === 0 && node.holders === 0) node.drop();
  }

  /**
   * `name` as a string of its own: a slice of a path would keep the whole path in memory, uncounted,
   * as long as the entry lives.
   */
  ownName(name: string): string {
    return decoder.decode(encoder.encode(name));
  }

  #openNode(node: MemoryAnyNode, slash: boolean, options: OpenOptions): MemoryAnyNode | Outcome {
    if (node.kind === "directory") {
      return options.create || options.write || options.truncate ? fail("isdir") : node;
    }
    if (slash || options.directory) return fail("notdir");
    if (node.kind === "symlink") return fail("loop");
    if ((options.write || options.truncate) && this.readOnly) return fail("rofs");
    if (options.truncate) node.truncate(0);
    return node;
  }

  #createFile(place: Place): MemoryAnyNode | Outcome {
    const file = (): MemoryFile => new MemoryFile(this, this.takeInode());
    const outcome = this.#create(place, NODE_COST_BYTES, file);
    return outcome === 0 ? (place.directory.get(place.name) as MemoryFile) : outcome;
  }

  /** A place where a new entry may be made; only a directory's name may end in `/`. */
  #free(base: DirectoryNode, path: string, slashAllowed: boolean): Place | Outcome {
    const place = this.#walk(base, path, "never");
    if (typeof place === "number") return place;
    if (place.node !== undefined) return fail("exist");
    return place.slash && !slashAllowed ? fail("noent") : place;
  }

  #create(place: Place, nodeCost: number, make: () => MemoryAnyNode): Outcome {
    if (this.readOnly) return fail("rofs");
    if (place.directory.isRemoved) return fail("noent");
    const name = this.ownName(place.name);
    if (!this.space.take(nodeCost + entryCost(name))) return fail("nospc");
    place.directory.add(name, make());
    return 0;
  }

  #walk(base: DirectoryNode, path: string, follow: Follow): Place | Outcome {
    return walkPath(this.#own(base) as MemoryDirectory, path, follow);
  }

  #own(node: AnyNode): MemoryAnyNode {
    if (node.fs !== this) throw new TypeError("use a node with the file system it belongs to");
    return node as MemoryAnyNode;
  }
}

/** What is created has no trailing slash, so with one nothing is followed and `-isdir` answers. */
function followOnOpen({ create, exclusive, follow }: OpenOptions): Follow {
  if (!create) return follow ? "always" : "slash";
  return follow && !exclusive ? "bare" : "never";
}
