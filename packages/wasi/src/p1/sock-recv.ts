/** Receiving from connections. */
import type { InputStream } from "../capability/stream.ts";
import { Errno, fail, type Outcome, PENDING } from "../errno.ts";
import type { Wait } from "./attempt.ts";
import type { Context } from "./context.ts";
import type { StreamDescriptor } from "./descriptor.ts";
import { pend, readStream, receive } from "./fd-transfer.ts";
import { socketOf } from "./sock.ts";
import { IOVEC_SIZE, MAX_TRANSFER } from "./vectors.ts";
import { Fdflags, RIFLAGS_ALL, Riflags } from "./witx.ts";

export function createReceiveFunctions(context: Context) {
  const { memory, table, vectors } = context;

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
    const socket = socketOf(table.getAgain(fd, wait));
    if (typeof socket === "number") return socket;
    if (!vectors.valid(iovs, count)) return Errno.fault;
    if (!memory.has(result, 4) || !memory.has(roflags, 2)) return Errno.fault;
    const moved = receiveSocket(context, socket, iovs, count, flags, wait);
    if (moved === PENDING) return pend(wait, socket);
    if (moved < 0) return -moved;
    memory.setU32(result, moved);
    memory.view.setUint16(roflags, 0, true);
    return Errno.success;
  }

  return { sock_recv };
}

function receiveSocket(
  context: Context,
  socket: StreamDescriptor,
  iovs: number,
  count: number,
  flags: number,
  wait: Wait,
): Outcome {
  const { input } = socket;
  // A half that was shut down is at its end.
  if (input === null) return 0;
  if ((flags & Riflags.peek) !== 0) return peek(context, socket, input, iovs, count);
  if ((flags & Riflags.waitall) !== 0) return receiveAll(context, socket, input, iovs, count, wait);
  return receive(context, socket, input, iovs, count);
}

/** Peeks into the first buffer that is not empty: a second peek would see the same bytes again. */
function peek(
  { memory, vectors }: Context,
  socket: StreamDescriptor,
  input: InputStream,
  iovs: number,
  count: number,
) {
  let at = iovs;
  let left = count;
  while (left > 0 && memory.u32(at + 4) === 0) {
    at += IOVEC_SIZE;
    left--;
  }
  const moved = vectors.move(at, Math.min(left, 1), 0, peekStream, input, 0);
  return moved === PENDING && (socket.flags & Fdflags.nonblock) !== 0 ? fail("again") : moved;
}

function receiveAll(
  { vectors }: Context,
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

function peekStream(stream: InputStream, bytes: Uint8Array, at: number, length: number): Outcome {
  return stream.peek(bytes, at, length);
}
