/** What a descriptor is, and what it refers to. */
import { Errno, errnoOf } from "../errno.ts";
import type { Context } from "./context.ts";
import type { Descriptor, DirectoryDescriptor, FileDescriptor } from "./descriptor.ts";
import { type Layout, putEmptyFilestat, putFilestat } from "./layout.ts";
import { RIGHTS_ALL } from "./rights.ts";
import { chosenTime, timesConflict } from "./times.ts";
import { FDFLAGS_ALL, Fdflags, Fstflags } from "./witx.ts";

const FDSTAT_SIZE = 24;
const SYNCHRONOUS = Fdflags.dsync | Fdflags.rsync | Fdflags.sync;
const RIGHTS_ALL_U64 = BigInt(RIGHTS_ALL);

export function createStatFunctions(context: Context, layout: Layout) {
  return { ...createFdstatFunctions(context), ...createFilestatFunctions(context, layout) };
}

function createFdstatFunctions({ memory, table }: Context) {
  /** `fd_fdstat_get(fd) -> (fdstat, errno)`; needs no right. */
  function fd_fdstat_get(fd: number, result: number): number {
    const descriptor = table.get(fd);
    if (descriptor === undefined) return Errno.badf;
    result >>>= 0;
    if (!memory.has(result, FDSTAT_SIZE)) return Errno.fault;
    memory.setU32(result, descriptor.filetype | (descriptor.flags << 16));
    memory.setU32(result + 4, 0);
    memory.setU32(result + 8, descriptor.rightsBase);
    memory.setU32(result + 12, 0);
    memory.setU32(result + 16, descriptor.rightsInheriting);
    memory.setU32(result + 20, 0);
    return Errno.success;
  }

  /**
   * `fd_fdstat_set_flags(fd, flags: fdflags) -> errno`; right `fd_fdstat_set_flags`. Sets `append`
   * and `nonblock` of files, `nonblock` of streams and listeners. `inval`: another flag; `badf`: a
   * directory.
   */
  function fd_fdstat_set_flags(fd: number, flags: number): number {
    if ((flags & ~FDFLAGS_ALL) !== 0) return Errno.inval;
    const descriptor = table.get(fd);
    if (descriptor === undefined || descriptor.kind === "directory") return Errno.badf;
    if ((flags & SYNCHRONOUS) !== 0) return Errno.inval;
    const kept = descriptor.kind === "file" ? descriptor.flags & SYNCHRONOUS : 0;
    descriptor.flags = kept | flags;
    return Errno.success;
  }

  /**
   * `fd_fdstat_set_rights(fd, fs_rights_base: rights, fs_rights_inheriting: rights) -> errno`;
   * needs no right. Rights are not enforced, so they cannot be given up: `notsup`, as wasmtime.
   */
  function fd_fdstat_set_rights(fd: number, base: bigint, inheriting: bigint): number {
    if (((base | inheriting) & ~RIGHTS_ALL_U64) !== 0n) return Errno.inval;
    return isNode(table.get(fd)) ? Errno.notsup : Errno.badf;
  }

  return { fd_fdstat_get, fd_fdstat_set_flags, fd_fdstat_set_rights };
}

function createFilestatFunctions({ memory, table, clock }: Context, layout: Layout) {
  /** `fd_filestat_get(fd) -> (filestat, errno)`; right `fd_filestat_get`. */
  function fd_filestat_get(fd: number, result: number): number {
    const descriptor = table.get(fd);
    if (descriptor === undefined) return Errno.badf;
    result >>>= 0;
    if (!memory.has(result, layout.filestat.size)) return Errno.fault;
    if (isNode(descriptor)) putFilestat(memory, layout, result, descriptor.node.stat());
    else putEmptyFilestat(memory, layout, result, descriptor.filetype);
    return Errno.success;
  }

  /**
   * `fd_filestat_set_size(fd, size: filesize) -> errno`; right `fd_filestat_set_size`. `badf`: not a
   * file; `inval`: not open to write; `fbig`.
   */
  function fd_filestat_set_size(fd: number, size: bigint): number {
    const descriptor = table.get(fd);
    if (descriptor?.kind !== "file") return Errno.badf;
    if (!descriptor.writable || size < 0n) return Errno.inval;
    if (size > BigInt(Number.MAX_SAFE_INTEGER)) return Errno.fbig;
    return errnoOf(descriptor.node.truncate(Number(size)));
  }

  /**
   * `fd_filestat_set_times(fd, atim: timestamp, mtim: timestamp, fst_flags: fstflags) -> errno`;
   * right `fd_filestat_set_times`. `badf`: not a file or directory; `perm`: under a directory that is
   * not writable; `inval`: a time both given and "now".
   */
  function fd_filestat_set_times(fd: number, atim: bigint, mtim: bigint, flags: number): number {
    if (timesConflict(flags)) return Errno.inval;
    const descriptor = table.get(fd);
    if (!isNode(descriptor)) return Errno.badf;
    if (!descriptor.treeWritable) return Errno.perm;
    const accessed = chosenTime(clock, flags, Fstflags.atim, Fstflags.atimNow, atim);
    const modified = chosenTime(clock, flags, Fstflags.mtim, Fstflags.mtimNow, mtim);
    return errnoOf(descriptor.node.setTimes(accessed, modified));
  }

  return { fd_filestat_get, fd_filestat_set_size, fd_filestat_set_times };
}

function isNode(
  descriptor: Descriptor | undefined,
): descriptor is FileDescriptor | DirectoryDescriptor {
  return descriptor?.kind === "file" || descriptor?.kind === "directory";
}
