/** Reading and writing files at an offset, without a position. */
import type { InputStream, OutputStream } from "../capability/stream.ts";
import { Errno } from "../errno.ts";
import type { Context } from "./context.ts";
import { readFile, writeFile } from "./fd-transfer.ts";
import { Fdflags } from "./witx.ts";

export function createOffsetFunctions({ memory, table, vectors }: Context) {
  /**
   * `fd_pread(fd, iovs: iovec_array, offset: filesize) -> (size, errno)`; rights `fd_read`,
   * `fd_seek`. `badf`: not a file open to read; `spipe`: a stream; `inval`: an offset above 2^63.
   */
  function fd_pread(
    fd: number,
    iovs: number,
    count: number,
    offset: bigint,
    result: number,
  ): number {
    iovs >>>= 0;
    count >>>= 0;
    result >>>= 0;
    if (!vectors.valid(iovs, count) || !memory.has(result, 4)) return Errno.fault;
    const file = table.get(fd);
    if (file?.kind !== "file")
      return file?.kind === "stream" ? streamError(file.input) : Errno.badf;
    if (!file.readable) return Errno.badf;
    // Past 2^53 no file has a byte, and a position rounded there reads none.
    const position = Number(offset);
    if (position < 0) return Errno.inval;
    const moved = vectors.move(iovs, count, 0, readFile, file.node, position);
    if (moved < 0) return -moved;
    memory.setU32(result, moved);
    return Errno.success;
  }

  /**
   * `fd_pwrite(fd, iovs: ciovec_array, offset: filesize) -> (size, errno)`; rights `fd_write`,
   * `fd_seek`. `badf`: not a file open to write; `spipe`: a stream; `inval`: an offset above 2^63;
   * `fbig`. As on Linux, a descriptor that appends does so here too.
   */
  function fd_pwrite(
    fd: number,
    iovs: number,
    count: number,
    offset: bigint,
    result: number,
  ): number {
    iovs >>>= 0;
    count >>>= 0;
    result >>>= 0;
    if (!vectors.valid(iovs, count) || !memory.has(result, 4)) return Errno.fault;
    const file = table.get(fd);
    if (file?.kind !== "file") {
      return file?.kind === "stream" ? streamError(file.output) : Errno.badf;
    }
    if (!file.writable) return Errno.badf;
    const wanted = Number(offset);
    if (wanted < 0) return Errno.inval;
    const position = (file.flags & Fdflags.append) === 0 ? wanted : file.node.size;
    if (position > Number.MAX_SAFE_INTEGER) return Errno.fbig;
    const moved = vectors.move(iovs, count, 0, writeFile, file.node, position);
    if (moved < 0) return -moved;
    memory.setU32(result, moved);
    return Errno.success;
  }

  return { fd_pread, fd_pwrite };
}

function streamError(half: InputStream | OutputStream | null): number {
  return half === null ? Errno.badf : Errno.spipe;
}
