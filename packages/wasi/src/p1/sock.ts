/** Sockets: preview 1 can accept on listeners it was given, and use connections. */

import type { InputStream } from "../capability/stream.ts";
import { Errno, fail, type Outcome, PENDING } from "../errno.ts";
import type { Wait } from "./attempt.ts";
import type { Context } from "./context.ts";
import { describeStream, type StreamDescriptor } from "./descriptor.ts";
import { pend, readStream, receive, send } from "./fd-transfer.ts";
import { MAX_TRANSFER } from "./vectors.ts";
import {
  FDFLAGS_ALL,
  Fdflags,
  Filetype,
  RIFLAGS_ALL,
  Riflags,
  SDFLAGS_ALL,
  Sdflags,
} from "./witx.ts";

export function createSockFunctions(context: Context) {
  const { memory, table, vectors } = context;

  /**
   * `sock_accept(fd, flags: fdflags) -> (fd, errno)`; right `sock_accept`. `inval`: a connection,
   * or a flag other than `nonblock`; `notsock`; `mfile`. May wait.
   */
  function sock_accept(wait: Wait, fd: number, flags: number, result: number): Outcome {
    if ((flags & ~FDFLAGS_ALL) !== 0) return Errno.inval;
    const descriptor = table.get(fd);
    if (descriptor === undefined) return Errno.badf;
    if (descriptor.kind !== "listener") {
      return descriptor.kind === "stream" && descriptor.socket ? Errno.inval : Errno.notsock;
    }
    if ((flags & ~Fdflags.nonblock) !== 0) return Errno.inval;
    result >>>= 0;
    if (!memory.has(result, 4)) return Errno.fault;
    if (table.full) return Errno.mfile;
    const accepted = descriptor.listener.accept();
    if (typeof accepted === "number") {
      if (accepted !== PENDING) return -accepted;
      return (descriptor.flags & Fdflags.nonblock) !== 0 ? Errno.again : pend(wait);
    }
    const { input, output } = accepted;
    memory.setU32(result, table.add(describeStream(Filetype.socketStream, input, output, flags)));
    return Errno.success;
  }

  /**
   * `sock_recv(fd, ri_data: iovec_array, ri_flags: riflags) -> (size, roflags, errno)`; right
   * `fd_read`. `peek` leaves the bytes; `waitall` waits until the buffers are full or the end.
   * `notsock`; a half that was shut down is at its end. May wait.
   */
  function sock_recv(
    wait: Wait,
    fd: number,
    iovs: number,
    count: number,
    flags: number,
    result: number,
    roflags: number,
  ): Outcome {
    if ((flags & ~RIFLAGS_ALL) !== 0) return Errno.inval;
    iovs >>>= 0;
    count >>>= 0;
    result >>>= 0;
    roflags >>>= 0;
    const socket = socketOf(fd);
    if (typeof socket === "number") return socket;
    if (!vectors.valid(iovs, count)) return Errno.fault;
    if (!memory.has(result, 4) || !memory.has(roflags, 2)) return Errno.fault;
    const moved = receiveSocket(socket, iovs, count, flags, wait);
    if (moved === PENDING) return pend(wait);
    if (moved < 0) return -moved;
    memory.setU32(result, moved);
    memory.view.setUint16(roflags, 0, true);
    return Errno.success;
  }

  function receiveSocket(
    socket: StreamDescriptor,
    iovs: number,
    count: number,
    flags: number,
    wait: Wait,
  ): Outcome {
    const { input } = socket;
    // A half that was shut down is at its end.
    if (input === null) return 0;
    if ((flags & Riflags.peek) !== 0) return peek(socket, input, iovs, count);
    if ((flags & Riflags.waitall) !== 0) return receiveAll(socket, input, iovs, count, wait);
    return receive(context, socket, input, iovs, count);
  }

  /** Peeks into the first buffer that is not empty: a second peek would see the same bytes again. */
  function peek(socket: StreamDescriptor, input: InputStream, iovs: number, count: number) {
    let at = iovs;
    let left = count;
    while (left > 0 && memory.u32(at + 4) === 0) {
      at += 8;
      left--;
    }
    const moved = vectors.move(at, Math.min(left, 1), 0, peekStream, input, 0);
    return moved === PENDING && (socket.flags & Fdflags.nonblock) !== 0 ? fail("again") : moved;
  }

  function receiveAll(
    socket: StreamDescriptor,
    input: InputStream,
    iovs: number,
    count: number,
    wait: Wait,
  ): Outcome {
    let received = wait.progress;
    for (;;) {
      const moved = vectors.move(iovs, count, received, readStream, input, 0);
      if (moved > 0) received += moved;
      if (vectors.complete || moved === 0 || received >= MAX_TRANSFER) return received;
      if (moved === PENDING && (socket.flags & Fdflags.nonblock) === 0) {
        wait.progress = received;
        return PENDING;
      }
      if (moved < 0) {
        if (received > 0) return received;
        return moved === PENDING ? fail("again") : moved;
      }
    }
  }

  /**
   * `sock_send(fd, si_data: ciovec_array, si_flags: siflags) -> (size, errno)`; right `fd_write`.
   * `inval`: any flag (there is none); `notsock`; `pipe`: shut down for writing. May wait.
   */
  function sock_send(
    wait: Wait,
    fd: number,
    iovs: number,
    count: number,
    flags: number,
    result: number,
  ): Outcome {
    const socket = socketOf(fd);
    if (typeof socket === "number") return socket;
    if (flags !== 0) return Errno.inval;
    iovs >>>= 0;
    count >>>= 0;
    result >>>= 0;
    if (!vectors.valid(iovs, count) || !memory.has(result, 4)) return Errno.fault;
    if (socket.output === null) return Errno.pipe;
    const moved = send(context, socket, socket.output, iovs, count, wait);
    if (moved === PENDING) return pend(wait);
    if (moved < 0) return -moved;
    memory.setU32(result, moved);
    return Errno.success;
  }

  /**
   * `sock_shutdown(fd, how: sdflags) -> errno`; right `sock_shutdown`. `inval`: neither direction;
   * `notsock`; `notconn`: a listener.
   */
  function sock_shutdown(fd: number, how: number): number {
    if ((how & ~SDFLAGS_ALL) !== 0) return Errno.inval;
    const socket = socketOf(fd);
    if (typeof socket === "number") return socket;
    if (how === 0) return Errno.inval;
    if ((how & Sdflags.rd) !== 0) {
      socket.input?.close();
      socket.input = null;
    }
    if ((how & Sdflags.wr) !== 0) {
      socket.output?.close();
      socket.output = null;
    }
    return Errno.success;
  }

  function socketOf(fd: number): StreamDescriptor | number {
    const descriptor = table.get(fd);
    if (descriptor === undefined) return Errno.badf;
    if (descriptor.kind === "listener") return Errno.notconn;
    return descriptor.kind === "stream" && descriptor.socket ? descriptor : Errno.notsock;
  }

  return { sock_accept, sock_recv, sock_send, sock_shutdown };
}

function peekStream(stream: InputStream, bytes: Uint8Array, at: number, length: number): Outcome {
  return stream.peek(bytes, at, length);
}
