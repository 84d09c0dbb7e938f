/** Reading the path arguments of a guest. */
import { Errno } from "../errno.ts";
import type { Context } from "./context.ts";
import type { DirectoryDescriptor } from "./descriptor.ts";

/** Bytes of a path, as Linux's `PATH_MAX` without its NUL; longer ones are `nametoolong`. */
export const MAX_PATH_BYTES = 4095;

/** A directory and a path under it, or the errno of a wrong argument. */
export interface PathArgument {
  readonly directory: DirectoryDescriptor;
  readonly path: string;
}

/**
 * The path in `pointer..pointer + length`, or an errno: `fault`, `nametoolong`, `ilseq` (not UTF-8)
 * or `inval` (has a NUL).
 */
export function readPath({ memory }: Context, pointer: number, length: number): string | number {
  pointer >>>= 0;
  length >>>= 0;
  if (!memory.has(pointer, length)) return Errno.fault;
  if (length > MAX_PATH_BYTES) return Errno.nametoolong;
  const path = memory.string(pointer, length);
  if (path === null) return Errno.ilseq;
  return path.includes("\0") ? Errno.inval : path;
}

/** The directory of a descriptor number and a path under it; `badf`: not a directory. */
export function readPathAt(
  context: Context,
  fd: number,
  pointer: number,
  length: number,
): PathArgument | number {
  const directory = context.table.get(fd);
  if (directory?.kind !== "directory") return Errno.badf;
  const path = readPath(context, pointer, length);
  return typeof path === "number" ? path : { directory, path };
}

/** The same for a change: `perm` under a directory that may not be changed, as wasmtime. */
export function readWritablePathAt(
  context: Context,
  fd: number,
  pointer: number,
  length: number,
): PathArgument | number {
  const argument = readPathAt(context, fd, pointer, length);
  return typeof argument === "number" || argument.directory.treeWritable ? argument : Errno.perm;
}
