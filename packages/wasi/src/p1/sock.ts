import { Errno, type Outcome, PENDING } from "../errno.ts";
import type { Wait } from "./attempt.ts";
import type { Context } from "./context.ts";
import { type Descriptor, describeStream, type StreamDescriptor } from "./descriptor.ts";
import { pend, send } from "./fd-transfer.ts";
import { FDFLAGS_ALL, Fdflags, Filetype, SDFLAGS_ALL, Sdflags } from "./witx.ts";

export function createSockFunctions(context: Context) {
  return { ...createConnectionFunctions(context), ...createAcceptFunction(context) };
}

function createAcceptFunction({ memory, table }: Context) {
  /**
   * `sock_accept(fd, flags: fdflags) -> (fd, errno)`; right `sock_accept`. `inval`: a connection,
   * or a flag other than `nonblock`; `notsock`; `mfile`. May wait.
   */
  function sock_accept(wait: Wait, fd: number, flags: number, result: number): Outcome {
    if ((flags & ~FDFLAGS_ALL) !== 0) return Errno.inval;
    const descriptor = table.getAgain(fd, wait);
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
      return (descriptor.flags & Fdflags.nonblock) !== 0 ? Errno.again : pend(wait, descriptor);
    }
    const { input, output } = accepted;
    memory.setU32(result, table.add(describeStream(Filetype.socketStream, input, output, flags)));
    return Errno.success;
  }

  return { sock_accept };
}

function createConnectionFunctions(context: Context) {
  const { memory, table, vectors } = context;

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
    const socket = socketOf(table.getAgain(fd, wait));
    if (typeof socket === "number") return socket;
    if (flags !== 0) return Errno.inval;
    iovs >>>= 0;
    count >>>= 0;
    result >>>= 0;
    if (!vectors.valid(iovs, count) || !memory.has(result, 4)) return Errno.fault;
    if (socket.output === null) return Errno.pipe;
    const moved = send(context, socket, socket.output, iovs, count, wait);
    if (moved === PENDING) return pend(wait, socket);
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
    const socket = socketOf(table.get(fd));
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

  return { sock_send, sock_shutdown };
}

/** The connection of a descriptor, or `badf`, `notsock` or `notconn` (a listener). */
export function socketOf(descriptor: Descriptor | undefined): StreamDescriptor | number {
  if (descriptor === undefined) return Errno.badf;
  if (descriptor.kind === "listener") return Errno.notconn;
  return descriptor.kind === "stream" && descriptor.socket ? descriptor : Errno.notsock;
}
