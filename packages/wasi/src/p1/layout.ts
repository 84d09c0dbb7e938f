/**
 * What differs between `wasi_snapshot_preview1` and `wasi_unstable` (preview 0): the order of
 * `whence`, the width of `linkcount`, and one more field in `subscription_clock`.
 * Source: `typenames.witx` of both.
 */
import type { NodeKind, NodeStat } from "../capability/files.ts";
import type { GuestMemory } from "./memory.ts";
import { Filetype, type FiletypeValue } from "./witx.ts";

export interface Layout {
  readonly whence: { readonly set: number; readonly cur: number; readonly end: number };
  readonly filestat: {
    readonly size: number;
    readonly nlink: number;
    /** Of field `size`; `atim`, `mtim` and `ctim` follow. */
    readonly fileSize: number;
  };
  readonly subscription: {
    readonly size: number;
    /** Of the `id` of a clock; in preview 0 an `identifier` comes first. */
    readonly clock: number;
  };
}

export const SNAPSHOT_LAYOUT: Layout = {
  whence: { set: 0, cur: 1, end: 2 },
  filestat: { size: 64, nlink: 24, fileSize: 32 },
  subscription: { size: 48, clock: 16 },
};

export const UNSTABLE_LAYOUT: Layout = {
  whence: { cur: 0, end: 1, set: 2 },
  filestat: { size: 56, nlink: 20, fileSize: 24 },
  subscription: { size: 56, clock: 24 },
};

const FILETYPES: Readonly<Record<NodeKind, FiletypeValue>> = {
  file: Filetype.regularFile,
  directory: Filetype.directory,
  symlink: Filetype.symbolicLink,
};

export function filetypeOf(kind: NodeKind): FiletypeValue {
  return FILETYPES[kind];
}

/** Puts a `filestat` of a node into a range that was checked. */
export function putFilestat(
  memory: GuestMemory,
  { filestat }: Layout,
  at: number,
  stat: NodeStat,
): void {
  memory.bytes.fill(0, at, at + filestat.size);
  memory.setU64(at, stat.device);
  memory.setU64(at + 8, stat.inode);
  memory.bytes[at + 16] = filetypeOf(stat.kind);
  memory.setU32(at + filestat.nlink, stat.links);
  const tail = at + filestat.fileSize;
  memory.setU64(tail, BigInt(stat.size));
  memory.setU64(tail + 8, stat.accessed);
  memory.setU64(tail + 16, stat.modified);
  memory.setU64(tail + 24, stat.changed);
}

/** A `filestat` of something that is no file: all zeros but for the type. */
export function putEmptyFilestat(
  memory: GuestMemory,
  { filestat }: Layout,
  at: number,
  filetype: FiletypeValue,
): void {
  memory.bytes.fill(0, at, at + filestat.size);
  memory.bytes[at + 16] = filetype;
}
