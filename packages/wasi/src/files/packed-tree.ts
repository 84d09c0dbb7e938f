/**
 * The packed tree: files, directories and symlinks as one deterministic row of bytes, for trees
 * that an owner sends to a Keep and for the changes that come back.
 * The format is specified in docs/formats/packed-tree.md; this file holds its words and numbers.
 */

/** A regular file. Its content lies in the content part, in the order of the entries. */
export interface TreeFile {
  readonly kind: "file";
  readonly path: string;
  /** Bytes of content. */
  readonly size: number;
  readonly executable: boolean;
  /** Nanoseconds since 1970; 0n in a tree without times. */
  readonly modified: bigint;
}

export interface TreeDirectory {
  readonly kind: "directory";
  readonly path: string;
  readonly modified: bigint;
}

export interface TreeSymlink {
  readonly kind: "symlink";
  readonly path: string;
  /** As written; it may be absolute or lead out of the tree: whoever follows it must check. */
  readonly target: string;
  readonly modified: bigint;
}

/** One more name (hard link) of the file at `to`, which comes earlier in the tree. */
export interface TreeLink {
  readonly kind: "link";
  readonly path: string;
  readonly to: string;
}

/** In changes only: what was at `path`, and all below it, is gone. */
export interface TreeRemoval {
  readonly kind: "removed";
  readonly path: string;
}

export type TreeEntry = TreeFile | TreeDirectory | TreeSymlink | TreeLink | TreeRemoval;

export interface TreeForm {
  /** Whether modification times are kept. */
  readonly times: boolean;
  /** Whether this is a set of changes: removals are allowed, and parents may be left out. */
  readonly changes: boolean;
}

/** What a reader accepts at most; the format's own limits hold as well. */
export interface TreeLimits {
  readonly maxBytes: number;
}

export interface PackedTree extends TreeForm {
  readonly entries: readonly TreeEntry[];
  /** Bytes of the whole packed tree. */
  readonly length: number;
  /** Content of a file of `entries`, a view into the packed bytes: never write to it. */
  contentOf(file: TreeFile): Uint8Array;
}

/** "donjtree" */
export const TREE_MAGIC = Uint8Array.of(0x64, 0x6f, 0x6e, 0x6a, 0x74, 0x72, 0x65, 0x65);
export const TREE_VERSION = 1;
export const TREE_HEADER_BYTES = 32;
export const TREE_ENTRY_BYTES = 24;
/** Each content, and the content part, start at a multiple of this. */
export const TREE_ALIGN_BYTES = 16;

export const TREE_FLAG_TIMES = 1;
export const TREE_FLAG_CHANGES = 2;
export const ENTRY_FLAG_EXECUTABLE = 1;

/** Kinds of entries as the format numbers them. */
export const ENTRY_KIND = { file: 1, directory: 2, symlink: 3, link: 4, removed: 5 } as const;

export const MAX_TREE_ENTRIES = 2 ** 20;
export const MAX_TREE_INDEX_BYTES = 2 ** 28;
/** Names from the root to an entry. */
export const MAX_TREE_DEPTH = 256;
/** Largest size of the content part; a reader's `maxBytes` is far below. */
export const MAX_TREE_CONTENT_BYTES = 2 ** 43;

/** `length` rounded up to the alignment. */
export function alignTree(length: number): number {
  return Math.ceil(length / TREE_ALIGN_BYTES) * TREE_ALIGN_BYTES;
}

/** Path of the directory that holds `path`; "" is the root. */
export function parentPath(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash === -1 ? "" : path.slice(0, slash);
}
