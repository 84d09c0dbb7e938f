/** What tells that a file has not changed, without reading it. */
import { type BigIntStats, statSync } from "node:fs";

/**
 * `dev:ino:size:mtime:ctime`, times in nanoseconds. The kernel sets ctime at every change of contents, owner or mode, and
 * only a changed clock or a write below the file system can make one come back.
 */
export type FileStamp = string;

export function stampOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): FileStamp {
  return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
}

/** Of what a link leads to; `null` when that is no regular file, or not there. */
export function readStamp(path: string): FileStamp | null {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat?.isFile() ? stampOf(stat) : null;
}
