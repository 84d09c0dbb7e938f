/** `path_open`. */
import type { AnyNode, OpenOptions } from "../capability/files.ts";
import { Errno } from "../errno.ts";
import type { Context } from "./context.ts";
import { type Descriptor, describeDirectory, describeFile } from "./descriptor.ts";
import { readPath } from "./path-argument.ts";
import { RIGHT_FD_READ, RIGHT_FD_WRITE, RIGHTS_ALL } from "./rights.ts";
import { FDFLAGS_ALL, LOOKUPFLAGS_ALL, Lookupflags, OFLAGS_ALL, Oflags } from "./witx.ts";

const RIGHTS_ALL_U64 = BigInt(RIGHTS_ALL);
const CHANGING = Oflags.creat | Oflags.trunc;
const NOT_FOR_DIRECTORIES = Oflags.creat | Oflags.excl | Oflags.trunc;

export function createPathOpen(context: Context) {
  const { memory, table } = context;

  /**
   * `path_open(fd, dirflags: lookupflags, path: string, oflags, fs_rights_base: rights,
   * fs_rights_inheriting: rights, fdflags) -> (fd, errno)`; right `path_open`, and `path_create_file`
   * with `creat`.
   *
   * Of the rights only `fd_read` and `fd_write` count: they choose how the file is opened. A file
   * opened without `fd_write` can be read, and one opened with `creat` or `trunc` can be written, as
   * in wasmtime. `dsync`, `rsync` and `sync` are kept and reported: files in memory meet them all.
   */
  function path_open(
    fd: number,
    dirflags: number,
    pathAt: number,
    length: number,
    oflags: number,
    rightsBase: bigint,
    rightsInheriting: bigint,
    fdflags: number,
    result: number,
  ): number {
    if (!known(dirflags, oflags, rightsBase | rightsInheriting, fdflags)) return Errno.inval;
    const path = readPath(context, pathAt, length);
    if (typeof path === "number") return path;
    const base = table.get(fd);
    if (base?.kind !== "directory") return base?.kind === "file" ? Errno.notdir : Errno.badf;
    if ((oflags & Oflags.directory) !== 0 && (oflags & NOT_FOR_DIRECTORIES) !== 0) {
      return Errno.inval;
    }
    const rights = Number(BigInt.asUintN(30, rightsBase));
    const write = (rights & RIGHT_FD_WRITE) !== 0 || (oflags & CHANGING) !== 0;
    if (write && !base.treeWritable) return Errno.perm;
    result >>>= 0;
    if (!memory.has(result, 4)) return Errno.fault;
    if (table.full) return Errno.mfile;
    const node = base.node.fs.open(base.node, path, openOptions(dirflags, oflags, write));
    if (typeof node === "number") return -node;
    const read = (rights & RIGHT_FD_READ) !== 0 || (rights & RIGHT_FD_WRITE) === 0;
    const descriptor = describe(node, read, write, base.treeWritable, fdflags);
    if (descriptor === null) return Errno.loop;
    node.fs.retain(node);
    memory.setU32(result, table.add(descriptor));
    return Errno.success;
  }

  return { path_open };
}

function known(dirflags: number, oflags: number, rights: bigint, fdflags: number): boolean {
  return (
    (dirflags & ~LOOKUPFLAGS_ALL) === 0 &&
    (oflags & ~OFLAGS_ALL) === 0 &&
    (fdflags & ~FDFLAGS_ALL) === 0 &&
    (rights & ~RIGHTS_ALL_U64) === 0n
  );
}

function openOptions(dirflags: number, oflags: number, write: boolean): OpenOptions {
  return {
    follow: (dirflags & Lookupflags.symlinkFollow) !== 0,
    create: (oflags & Oflags.creat) !== 0,
    exclusive: (oflags & Oflags.excl) !== 0,
    truncate: (oflags & Oflags.trunc) !== 0,
    directory: (oflags & Oflags.directory) !== 0,
    write,
  };
}

/** `null` for a symlink, which cannot be held open. */
function describe(
  node: AnyNode,
  readable: boolean,
  writable: boolean,
  treeWritable: boolean,
  fdflags: number,
): Descriptor | null {
  switch (node.kind) {
    case "file":
      return describeFile(node, readable, writable, treeWritable, fdflags);
    case "directory":
      return describeDirectory(node, treeWritable, null);
    case "symlink":
      return null;
  }
}
