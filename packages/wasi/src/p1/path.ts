/** Functions on paths, but for `path_open`. A path is always under the directory of a descriptor. */
import { Errno, errnoOf } from "../errno.ts";
import type { Context } from "./context.ts";
import { type Layout, putFilestat } from "./layout.ts";
import { readPath, readPathAt, readWritablePathAt } from "./path-argument.ts";
import { chosenTime, timesConflict } from "./times.ts";
import { Fstflags, LOOKUPFLAGS_ALL, Lookupflags } from "./witx.ts";

export function createPathFunctions(context: Context, layout: Layout) {
  return {
    ...createNodeFunctions(context, layout),
    ...createNameFunctions(context),
    ...createLinkFunctions(context),
    ...createSymlinkFunctions(context),
  };
}

function unknown(lookupflags: number): boolean {
  return (lookupflags & ~LOOKUPFLAGS_ALL) !== 0;
}

function follows(lookupflags: number): boolean {
  return (lookupflags & Lookupflags.symlinkFollow) !== 0;
}

function createNodeFunctions(context: Context, layout: Layout) {
  const { memory, clock } = context;

  /**
   * `path_filestat_get(fd, flags: lookupflags, path: string) -> (filestat, errno)`; right
   * `path_filestat_get`.
   */
  function path_filestat_get(
    fd: number,
    flags: number,
    pathAt: number,
    length: number,
    result: number,
  ): number {
    if (unknown(flags)) return Errno.inval;
    const at = readPathAt(context, fd, pathAt, length);
    if (typeof at === "number") return at;
    result >>>= 0;
    if (!memory.has(result, layout.filestat.size)) return Errno.fault;
    const node = at.directory.node.fs.lookup(at.directory.node, at.path, follows(flags));
    if (typeof node === "number") return -node;
    putFilestat(memory, layout, result, node.stat());
    return Errno.success;
  }

  /**
   * `path_filestat_set_times(fd, flags: lookupflags, path: string, atim: timestamp, mtim: timestamp,
   * fst_flags: fstflags) -> errno`; right `path_filestat_set_times`. `inval`: a time both given and
   * "now".
   */
  function path_filestat_set_times(
    fd: number,
    flags: number,
    pathAt: number,
    length: number,
    atim: bigint,
    mtim: bigint,
    fstflags: number,
  ): number {
    if (unknown(flags) || timesConflict(fstflags)) return Errno.inval;
    const at = readWritablePathAt(context, fd, pathAt, length);
    if (typeof at === "number") return at;
    const node = at.directory.node.fs.lookup(at.directory.node, at.path, follows(flags));
    if (typeof node === "number") return -node;
    const accessed = chosenTime(clock, fstflags, Fstflags.atim, Fstflags.atimNow, atim);
    const modified = chosenTime(clock, fstflags, Fstflags.mtim, Fstflags.mtimNow, mtim);
    return errnoOf(node.setTimes(accessed, modified));
  }

  return { path_filestat_get, path_filestat_set_times };
}

function createNameFunctions(context: Context) {
  /** `path_create_directory(fd, path: string) -> errno`; right `path_create_directory`. */
  function path_create_directory(fd: number, pathAt: number, length: number): number {
    const at = readWritablePathAt(context, fd, pathAt, length);
    if (typeof at === "number") return at;
    return errnoOf(at.directory.node.fs.makeDirectory(at.directory.node, at.path));
  }

  /** `path_remove_directory(fd, path: string) -> errno`; right `path_remove_directory`. */
  function path_remove_directory(fd: number, pathAt: number, length: number): number {
    const at = readWritablePathAt(context, fd, pathAt, length);
    if (typeof at === "number") return at;
    return errnoOf(at.directory.node.fs.removeDirectory(at.directory.node, at.path));
  }

  /** `path_unlink_file(fd, path: string) -> errno`; right `path_unlink_file`. */
  function path_unlink_file(fd: number, pathAt: number, length: number): number {
    const at = readWritablePathAt(context, fd, pathAt, length);
    if (typeof at === "number") return at;
    return errnoOf(at.directory.node.fs.unlink(at.directory.node, at.path));
  }

  /**
   * `path_rename(fd, old_path: string, new_fd: fd, new_path: string) -> errno`; rights
   * `path_rename_source`, `path_rename_target`. `xdev`: another file system.
   */
  function path_rename(
    fd: number,
    oldAt: number,
    oldLength: number,
    newFd: number,
    newAt: number,
    newLength: number,
  ): number {
    const from = readWritablePathAt(context, fd, oldAt, oldLength);
    if (typeof from === "number") return from;
    const to = readWritablePathAt(context, newFd, newAt, newLength);
    if (typeof to === "number") return to;
    const { fs } = from.directory.node;
    if (fs !== to.directory.node.fs) return Errno.xdev;
    return errnoOf(fs.rename(from.directory.node, from.path, to.directory.node, to.path));
  }

  return { path_create_directory, path_remove_directory, path_unlink_file, path_rename };
}

function createLinkFunctions(context: Context) {
  /**
   * `path_link(old_fd: fd, old_flags: lookupflags, old_path: string, new_fd: fd, new_path: string) ->
   * errno`; rights `path_link_source`, `path_link_target`. Both directories must be writable, because
   * a link into a writable one would make the file writable. `inval`: `symlink_follow`, as wasmtime.
   */
  function path_link(
    fd: number,
    flags: number,
    oldAt: number,
    oldLength: number,
    newFd: number,
    newAt: number,
    newLength: number,
  ): number {
    if (unknown(flags)) return Errno.inval;
    const from = readWritablePathAt(context, fd, oldAt, oldLength);
    if (typeof from === "number") return from;
    const to = readWritablePathAt(context, newFd, newAt, newLength);
    if (typeof to === "number") return to;
    if (follows(flags)) return Errno.inval;
    const { fs } = from.directory.node;
    if (fs !== to.directory.node.fs) return Errno.xdev;
    return errnoOf(fs.link(from.directory.node, from.path, false, to.directory.node, to.path));
  }

  return { path_link };
}

function createSymlinkFunctions(context: Context) {
  const { memory } = context;

  /**
   * `path_symlink(old_path: string, fd, new_path: string) -> errno`; right `path_symlink`. The
   * target is not looked up.
   */
  function path_symlink(
    targetAt: number,
    targetLength: number,
    fd: number,
    pathAt: number,
    length: number,
  ): number {
    const at = readWritablePathAt(context, fd, pathAt, length);
    if (typeof at === "number") return at;
    const target = readPath(context, targetAt, targetLength);
    if (typeof target === "number") return target;
    return errnoOf(at.directory.node.fs.makeSymlink(at.directory.node, at.path, target));
  }

  /**
   * `path_readlink(fd, path: string, buf: pointer<u8>, buf_len: size) -> (size, errno)`; right
   * `path_readlink`. A target that does not fit is cut. `inval`: not a link.
   */
  function path_readlink(
    fd: number,
    pathAt: number,
    length: number,
    buffer: number,
    capacity: number,
    result: number,
  ): number {
    const at = readPathAt(context, fd, pathAt, length);
    if (typeof at === "number") return at;
    buffer >>>= 0;
    capacity >>>= 0;
    result >>>= 0;
    if (!memory.has(buffer, capacity) || !memory.has(result, 4)) return Errno.fault;
    const node = at.directory.node.fs.lookup(at.directory.node, at.path, false);
    if (typeof node === "number") return -node;
    if (node.kind !== "symlink") return Errno.inval;
    memory.setU32(result, memory.setString(buffer, capacity, node.target));
    return Errno.success;
  }

  return { path_symlink, path_readlink };
}
