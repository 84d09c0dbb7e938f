/** The position of a file descriptor. */
import { Errno } from "../errno.ts";
import type { Context } from "./context.ts";
import type { FileDescriptor } from "./descriptor.ts";
import type { Layout } from "./layout.ts";

export function createPositionFunctions({ memory, table }: Context, { whence }: Layout) {
  /**
   * `fd_seek(fd, offset: filedelta, whence) -> (filesize, errno)`; right `fd_seek`. `spipe`: a
   * stream; `badf`: a directory; `inval`: no such whence, or a position below 0 or above 2^53 - 1.
   */
  function fd_seek(fd: number, offset: bigint, from: number, result: number): number {
    if (from >>> 0 > 2) return Errno.inval;
    const file = seekable(fd);
    if (typeof file === "number") return file;
    result >>>= 0;
    if (!memory.has(result, 8)) return Errno.fault;
    const base = from === whence.set ? 0 : from === whence.cur ? file.position : file.node.size;
    const position = base + Number(offset);
    if (position < 0 || !Number.isSafeInteger(position)) return Errno.inval;
    file.position = position;
    memory.setU64(result, BigInt(position));
    return Errno.success;
  }

  /** `fd_tell(fd) -> (filesize, errno)`; right `fd_tell`. `spipe`: a stream; `badf`: a directory. */
  function fd_tell(fd: number, result: number): number {
    const file = seekable(fd);
    if (typeof file === "number") return file;
    result >>>= 0;
    if (!memory.has(result, 8)) return Errno.fault;
    memory.setU64(result, BigInt(file.position));
    return Errno.success;
  }

  function seekable(fd: number): FileDescriptor | number {
    const descriptor = table.get(fd);
    if (descriptor?.kind === "file") return descriptor;
    return descriptor === undefined || descriptor.kind === "directory" ? Errno.badf : Errno.spipe;
  }

  return { fd_seek, fd_tell };
}
