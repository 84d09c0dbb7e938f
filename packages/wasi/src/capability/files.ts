/**
 * Files, as a workload may see them: a graph of nodes with the semantics of a POSIX file system.
 * The in-memory implementation lies in `../files/`; preview 1 and later the component model are thin
 * faces over this interface.
 *
 * Conventions: operations answer an `Outcome` (>= 0, or `-errno`; never `PENDING`), sizes and
 * positions are numbers of bytes below 2^53, times are nanoseconds since 1970 as bigint, names are
 * well-formed strings without NUL. Every node belongs to one `FileSystem`; nothing is global.
 */
import type { Outcome } from "../errno.ts";

export type NodeKind = "file" | "directory" | "symlink";

export interface NodeStat {
  readonly kind: NodeKind;
  /** Unique and stable within the file system (never reused while it lives). */
  readonly inode: bigint;
  readonly device: bigint;
  readonly links: number;
  readonly size: number;
  readonly accessed: bigint;
  readonly modified: bigint;
  readonly changed: bigint;
}

export interface Node {
  readonly kind: NodeKind;
  readonly fs: FileSystem;
  stat(): NodeStat;
  /** Sets times; `null` leaves one as it is. */
  setTimes(accessed: bigint | null, modified: bigint | null): Outcome;
}

export interface FileNode extends Node {
  readonly kind: "file";
  readonly size: number;
  /** Reads at `position`; 0 at or past the end. Holes read as zeros. Leaves `accessed` as it is. */
  read(memory: Uint8Array, offset: number, length: number, position: number): Outcome;
  /**
   * Writes at `position`, making a hole when it lies past the end. Fewer bytes than asked when space
   * runs out on the way; `-nospc` when there is none, `-fbig`, `-rofs`.
   */
  write(memory: Uint8Array, offset: number, length: number, position: number): Outcome;
  /** Cuts or extends (with a hole). */
  truncate(size: number): Outcome;
  /**
   * Makes sure `position + length` is inside the file, and that space for it is accounted for.
   * `-inval` for length 0, `-nospc`, `-fbig`, `-rofs`.
   */
  allocate(position: number, length: number): Outcome;
}

export interface SymlinkNode extends Node {
  readonly kind: "symlink";
  readonly target: string;
}

export interface DirectoryEntry {
  /** Position to go on from after this entry; see `DirectoryNode.list`. */
  readonly cookie: bigint;
  readonly name: string;
  readonly kind: NodeKind;
  readonly inode: bigint;
}

export interface DirectoryNode extends Node {
  readonly kind: "directory";
  /**
   * Entries after `cookie` (0n: from the start), `.` and `..` first. Cookies stay valid while
   * entries are added and removed: an entry that was there all the time is listed exactly once.
   * `..` of the root of a preopen is the root itself.
   */
  list(cookie: bigint): Iterable<DirectoryEntry>;
}

export type AnyNode = FileNode | DirectoryNode | SymlinkNode;

export interface OpenOptions {
  /** Follow a symlink in the last component. */
  readonly follow: boolean;
  readonly create: boolean;
  readonly exclusive: boolean;
  readonly truncate: boolean;
  readonly directory: boolean;
  /** The caller wants to change what it opens: `-rofs` on a read-only tree, `-isdir` on a directory. */
  readonly write: boolean;
}

/**
 * One file system. Every path is relative to `base`, resolved component by component; neither `..`
 * nor a symlink ever leaves `base`, not even for a moment (`-perm`, as wasmtime answers). Absolute
 * paths and absolute link targets: `-perm`. At most 40 links are followed: `-loop`. Empty path: `-noent`.
 * A trailing `/` wants a directory. Name longer than 255 bytes or path longer than 4095: `-nametoolong`.
 * NUL in a path: `-inval`; a lone surrogate: `-ilseq`. On a read-only tree every change is `-rofs`.
 *
 * Any directory of one file system may be a preopen; `link` and `rename` work between all of them, and
 * answer `-xdev` when the two bases belong to different file systems. A node of another file system is
 * a mistake of the caller else: `TypeError`.
 */
export interface FileSystem {
  readonly root: DirectoryNode;
  /** Bytes in use (content and a flat cost per node) and the limit that answers `-nospc`. */
  readonly used: number;
  readonly limit: number;
  /**
   * Never answers a symlink: `-loop` when the last one is not followed. `create` follows a symlink to
   * what is missing when `follow` is set, inside the base as always. Does not `retain`.
   */
  open(base: DirectoryNode, path: string, options: OpenOptions): AnyNode | Outcome;
  /** The node at `path`; `follow` says whether a symlink in the last component is followed. */
  lookup(base: DirectoryNode, path: string, follow: boolean): AnyNode | Outcome;
  makeDirectory(base: DirectoryNode, path: string): Outcome;
  makeSymlink(base: DirectoryNode, path: string, target: string): Outcome;
  /** Hard link; `follow` applies to the last component of `from`. */
  link(
    fromBase: DirectoryNode,
    from: string,
    follow: boolean,
    toBase: DirectoryNode,
    to: string,
  ): Outcome;
  rename(fromBase: DirectoryNode, from: string, toBase: DirectoryNode, to: string): Outcome;
  unlink(base: DirectoryNode, path: string): Outcome;
  removeDirectory(base: DirectoryNode, path: string): Outcome;
  /** A descriptor holds the node: its content lives until `release`, even when unlinked. */
  retain(node: AnyNode): void;
  release(node: AnyNode): void;
}
