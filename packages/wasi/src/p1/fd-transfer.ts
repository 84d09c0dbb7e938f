/** Reading and writing through descriptors. */
import type { FileNode } from "../capability/files.ts";
import type { InputStream, OutputStream } from "../capability/stream.ts";
import { Errno, fail, type Outcome, PENDING } from "../errno.ts";
import type { Wait } from "./attempt.ts";
import type { Context } from "./context.ts";
import type { Descriptor, FileDescriptor, StreamDescriptor } from "./descriptor.ts";
import { MAX_TRANSFER } from "./vectors.ts";
import { Fdflags } from "./witx.ts";

export function readStream(stream: InputStream, bytes: Uint8Array, at: number, length: number) {
  return stream.read(bytes, at, length);
}

export function writeStream(stream: OutputStream, bytes: Uint8Array, at: number, length: number) {
  return stream.write(bytes, at, length);
}

export function readFile(
  file: FileNode,
  bytes: Uint8Array,
  at: number,
  length: number,
  position: number,
): Outcome {
  return file.read(bytes, at, length, position);
}

export function writeFile(
  file: FileNode,
  bytes: Uint8Array,
  at: number,
  length: number,
  position: number,
): Outcome {
  return file.write(bytes, at, length, position);
}

/**
 * Reads what there is; when there is nothing, waits, or answers `again` if the descriptor does not
 * block.
 */
export function receive(
  { vectors }: Context,
  stream: StreamDescriptor,
  input: InputStream,
  iovs: number,
  count: number,
): Outcome {
  const moved = vectors.move(iovs, count, 0, readStream, input, 0);
  return moved === PENDING && (stream.flags & Fdflags.nonblock) !== 0 ? fail("again") : moved;
}

/**
 * Writes all, in as many attempts as it takes, as POSIX wants of a blocking descriptor; a
 * descriptor that does not block writes what fits, or answers `again`. An error after some bytes is
 * told by the next call.
 */
export function send(
  { vectors }: Context,
  stream: StreamDescriptor,
  output: OutputStream,
  iovs: number,
  count: number,
  wait: Wait,
): Outcome {
  let sent = wait.progress;
  for (;;) {
    const moved = vectors.move(iovs, count, sent, writeStream, output, 0);
    if (moved >= 0) {
      sent += moved;
      // An attempt that moves nothing and does not wait would be made for ever.
      if (vectors.complete || moved === 0 || sent >= MAX_TRANSFER) {
        return Math.min(sent, MAX_TRANSFER);
      }
      if ((stream.flags & Fdflags.nonblock) === 0) continue;
      return sent;
    }
    if (moved !== PENDING) return sent > 0 ? sent : moved;
    if ((stream.flags & Fdflags.nonblock) !== 0) return sent > 0 ? sent : fail("again");
    wait.progress = sent;
    return PENDING;
  }
}

export function createTransferFunctions(context: Context) {
  const { memory, table, vectors } = context;

  /**
   * `fd_read(fd, iovs: iovec_array) -> (size, errno)`; right `fd_read`. `badf`: not open to read.
   * Fills buffer after buffer as long as there is something. May wait.
   */
  function fd_read(wait: Wait, fd: number, iovs: number, count: number, result: number): Outcome {
    iovs >>>= 0;
    count >>>= 0;
    result >>>= 0;
    if (!vectors.valid(iovs, count) || !memory.has(result, 4)) return Errno.fault;
    const descriptor = table.getAgain(fd, wait);
    if (descriptor === undefined) return Errno.badf;
    let moved: Outcome;
    if (descriptor.kind === "file") {
      if (!descriptor.readable) return Errno.badf;
      moved = vectors.move(iovs, count, 0, readFile, descriptor.node, descriptor.position);
      if (moved > 0) descriptor.position += moved;
    } else if (descriptor.kind === "stream" && descriptor.input !== null) {
      moved = receive(context, descriptor, descriptor.input, iovs, count);
      if (moved === PENDING) return pend(wait, descriptor);
    } else return Errno.badf;
    if (moved < 0) return -moved;
    memory.setU32(result, moved);
    return Errno.success;
  }

  /**
   * `fd_write(fd, iovs: ciovec_array) -> (size, errno)`; right `fd_write`. `badf`: not open to
   * write. May wait.
   */
  function fd_write(wait: Wait, fd: number, iovs: number, count: number, result: number): Outcome {
    iovs >>>= 0;
    count >>>= 0;
    result >>>= 0;
    if (!vectors.valid(iovs, count) || !memory.has(result, 4)) return Errno.fault;
    const descriptor = table.getAgain(fd, wait);
    if (descriptor === undefined) return Errno.badf;
    let moved: Outcome;
    if (descriptor.kind === "file") {
      if (!descriptor.writable) return Errno.badf;
      moved = writeAtPosition(descriptor, iovs, count);
    } else if (descriptor.kind === "stream" && descriptor.output !== null) {
      moved = send(context, descriptor, descriptor.output, iovs, count, wait);
      if (moved === PENDING) return pend(wait, descriptor);
    } else return Errno.badf;
    if (moved < 0) return -moved;
    memory.setU32(result, moved);
    return Errno.success;
  }

  function writeAtPosition(file: FileDescriptor, iovs: number, count: number): Outcome {
    if ((file.flags & Fdflags.append) !== 0) file.position = file.node.size;
    const moved = vectors.move(iovs, count, 0, writeFile, file.node, file.position);
    if (moved > 0) file.position += moved;
    return moved;
  }

  return { fd_read, fd_write };
}

/** Waits until something changes with the descriptor, for as long as it takes. */
export function pend(wait: Wait, descriptor: Descriptor): Outcome {
  wait.deadline = null;
  wait.held = descriptor;
  return PENDING;
}
