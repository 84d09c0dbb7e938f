/** Space, caching and life of descriptors. */
import { Errno, errnoOf } from "../errno.ts";
import type { Context } from "./context.ts";
import type { FileDescriptor } from "./descriptor.ts";
import { ADVICE_MAX } from "./witx.ts";

const MAX_SIZE = BigInt(Number.MAX_SAFE_INTEGER);

export function createFileFunctions({ table }: Context) {
  /**
   * `fd_advise(fd, offset: filesize, len: filesize, advice) -> errno`; right `fd_advise`. The files
   * are in memory: advice changes nothing. `badf`: not a file; `inval`: no such advice, or a length
   * of 2^63 and more.
   */
  function fd_advise(fd: number, _offset: bigint, length: bigint, advice: number): number {
    if (advice >>> 0 > ADVICE_MAX) return Errno.inval;
    if (fileOf(fd) === undefined) return Errno.badf;
    return length < 0n ? Errno.inval : Errno.success;
  }

  /**
   * `fd_allocate(fd, offset: filesize, len: filesize) -> errno`; right `fd_allocate`. `badf`: not a
   * file open to write; `inval`: length 0; `fbig`, `nospc`.
   */
  function fd_allocate(fd: number, offset: bigint, length: bigint): number {
    const file = fileOf(fd);
    if (file === undefined || !file.writable) return Errno.badf;
    if (offset < 0n || length <= 0n) return Errno.inval;
    if (offset + length > MAX_SIZE) return Errno.fbig;
    return errnoOf(file.node.allocate(Number(offset), Number(length)));
  }

  /** `fd_close(fd) -> errno`; needs no right. */
  function fd_close(fd: number): number {
    return table.close(fd) ? Errno.success : Errno.badf;
  }

  /** `fd_datasync(fd) -> errno`; right `fd_datasync`. Nothing to do for files in memory. */
  function fd_datasync(fd: number): number {
    return fileOf(fd) === undefined ? Errno.badf : Errno.success;
  }

  /** `fd_sync(fd) -> errno`; right `fd_sync`. Nothing to do for files in memory. */
  function fd_sync(fd: number): number {
    return fileOf(fd) === undefined ? Errno.badf : Errno.success;
  }

  /**
   * `fd_renumber(fd, to: fd) -> errno`; needs no right. Closes `to` and gives its number to `fd`'s
   * descriptor, at once. `badf`: one of them is not open.
   */
  function fd_renumber(fd: number, to: number): number {
    return table.renumber(fd, to) ? Errno.success : Errno.badf;
  }

  function fileOf(fd: number): FileDescriptor | undefined {
    const descriptor = table.get(fd);
    return descriptor?.kind === "file" ? descriptor : undefined;
  }

  return { fd_advise, fd_allocate, fd_close, fd_datasync, fd_sync, fd_renumber };
}
