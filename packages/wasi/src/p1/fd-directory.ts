/** Preopened directories and directory listings. */

import type { DirectoryEntry } from "../capability/files.ts";
import { Errno } from "../errno.ts";
import { utf8Length } from "../files/utf8.ts";
import type { Context } from "./context.ts";
import { filetypeOf } from "./layout.ts";
import type { GuestMemory } from "./memory.ts";
import { PREOPENTYPE_DIR } from "./witx.ts";

const PRESTAT_SIZE = 8;
/** `d_next: u64, d_ino: u64, d_namlen: u32, d_type: u8`, padded. */
const DIRENT_SIZE = 24;

export function createDirectoryFunctions({ memory, table }: Context) {
  /** `fd_prestat_get(fd) -> (prestat, errno)`; needs no right. `badf`: not preopened. */
  function fd_prestat_get(fd: number, result: number): number {
    const name = preopenOf(fd);
    if (name === null) return Errno.badf;
    result >>>= 0;
    if (!memory.has(result, PRESTAT_SIZE)) return Errno.fault;
    memory.setU32(result, PREOPENTYPE_DIR);
    memory.setU32(result + 4, name.length);
    return Errno.success;
  }

  /**
   * `fd_prestat_dir_name(fd, path: pointer<u8>, path_len: size) -> errno`; needs no right.
   * `nametoolong`: the buffer is too small; `notdir`: not preopened; `badf`.
   */
  function fd_prestat_dir_name(fd: number, path: number, length: number): number {
    const name = preopenOf(fd);
    if (name === null) return table.get(fd) === undefined ? Errno.badf : Errno.notdir;
    if (name.length > length >>> 0) return Errno.nametoolong;
    path >>>= 0;
    if (!memory.has(path, name.length)) return Errno.fault;
    memory.bytes.set(name, path);
    return Errno.success;
  }

  function preopenOf(fd: number): Uint8Array | null {
    const descriptor = table.get(fd);
    return descriptor?.kind === "directory" ? descriptor.preopen : null;
  }

  /**
   * `fd_readdir(fd, buf: pointer<u8>, buf_len: size, cookie: dircookie) -> (size, errno)`; right
   * `fd_readdir`. A full buffer means that there may be more; its last entry can be cut anywhere.
   */
  function fd_readdir(
    fd: number,
    buffer: number,
    length: number,
    cookie: bigint,
    result: number,
  ): number {
    const directory = table.get(fd);
    if (directory?.kind !== "directory") return Errno.badf;
    buffer >>>= 0;
    length >>>= 0;
    result >>>= 0;
    if (!memory.has(buffer, length) || !memory.has(result, 4)) return Errno.fault;
    let used = 0;
    if (length > 0) {
      for (const entry of directory.node.list(BigInt.asUintN(64, cookie))) {
        used += putEntry(memory, buffer + used, length - used, entry);
        if (used === length) break;
      }
    }
    memory.setU32(result, used);
    return Errno.success;
  }

  return { fd_prestat_get, fd_prestat_dir_name, fd_readdir };
}

/** Puts as much of an entry as fits; answers the bytes used. */
function putEntry(memory: GuestMemory, at: number, room: number, entry: DirectoryEntry): number {
  if (room < DIRENT_SIZE) {
    const whole = createDirent(entry, utf8Length(entry.name));
    memory.bytes.set(whole.subarray(0, room), at);
    return room;
  }
  const name = at + DIRENT_SIZE;
  const length = putName(memory, name, room - DIRENT_SIZE, entry.name);
  const full = length === room - DIRENT_SIZE ? utf8Length(entry.name) : length;
  memory.setU64(at, entry.cookie);
  memory.setU64(at + 8, entry.inode);
  memory.setU32(at + 16, full);
  memory.setU32(at + 20, filetypeOf(entry.kind));
  return DIRENT_SIZE + length;
}

function createDirent(entry: DirectoryEntry, nameLength: number): Uint8Array {
  const bytes = new Uint8Array(DIRENT_SIZE);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, entry.cookie, true);
  view.setBigUint64(8, entry.inode, true);
  view.setUint32(16, nameLength, true);
  view.setUint32(20, filetypeOf(entry.kind), true);
  return bytes;
}

/** Names are short and mostly ASCII, where copying by hand is faster than an encoder. */
function putName(memory: GuestMemory, at: number, room: number, name: string): number {
  const { bytes } = memory;
  const end = Math.min(name.length, room);
  for (let index = 0; index < end; index++) {
    const code = name.charCodeAt(index);
    if (code > 0x7f) return memory.setString(at, room, name);
    bytes[at + index] = code;
  }
  return end;
}
