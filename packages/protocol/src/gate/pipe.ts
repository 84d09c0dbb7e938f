/**
 * One pipe of the gate, for both ends alike: the multiplexer on the platform's byte stream, and its
 * streams as the platform's Duplex. Whatever goes wrong on the pipe is its end, told once.
 */
import { createGateDuplex, type DuplexClass, type DuplexLike } from "./duplex.ts";
import { releaseMemory } from "./memory.ts";
import { Mux, type MuxRefusal, type MuxStream, type Written } from "./mux.ts";

/** The part of a platform's byte stream that is used here. What it gives is for this one listener, which may give its memory back. */
export interface BytePipe {
  on(event: "data", listener: (bytes: Uint8Array) => void): unknown;
  on(event: "end" | "close", listener: () => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  write(bytes: Uint8Array, written?: Written): boolean;
  cork(): void;
  uncork(): void;
  destroy(): unknown;
}

/** A stream that the other end asks for. It is accepted or refused, once, maybe later. */
export interface GateCall<D> {
  readonly target: string;
  /** The stream; destroyed already when the other end has taken its call back. */
  accept(): D;
  refuse(refusal: MuxRefusal, reason: string): void;
  /** Calls back when the other end takes its call back before it is answered. */
  onTakenBack(listener: () => void): void;
}

export interface GatePipeOptions<D extends DuplexLike> {
  readonly role: "caller" | "callee";
  readonly Duplex: DuplexClass<D>;
  /** Callee: the other end asks for a stream. */
  onCall?(call: GateCall<D>): void;
  /** Callee: octets that may wait unread on a stream; `GATE_STREAM_WINDOW` when there is no such function. */
  windowOf?(target: string): number;
  /** The pipe is gone, and all streams with it. The error, when the other end broke the protocol. */
  onClosed?(error: unknown): void;
}

export interface OpenOptions {
  onAccept?(): void;
  /** Octets that may wait unread; `GATE_STREAM_WINDOW` unless said. */
  readonly window?: number;
}

export interface GatePipe<D> {
  readonly closed: boolean;
  /** Streams that are open now. */
  readonly size: number;
  /**
   * Caller: asks for `target`. Bytes may be written at once. A refusal is the error of the Duplex:
   * `gate/refused`, or `gate/closed` when what was asked for could not be reached.
   * Throws `gate/closed` when the pipe is gone.
   */
  open(target: string, options?: OpenOptions): D;
  close(): void;
}

export function openGatePipe<D extends DuplexLike>(
  pipe: BytePipe,
  options: GatePipeOptions<D>,
): GatePipe<D> {
  const { role, Duplex, onCall, onClosed, windowOf } = options;
  let closed = false;
  const mux: Mux = new Mux({
    role,
    output: gatherWrites(pipe),
    onOpen: (stream) => onCall?.(createCall(Duplex, stream, windowOf?.(stream.target))),
  });
  const end = (error: unknown, drains = false): void => {
    if (closed) return;
    closed = true;
    mux.close(error, drains);
    pipe.destroy();
    onClosed?.(error);
  };
  pipe.on("data", (bytes) => {
    try {
      if (!mux.receive(bytes)) releaseMemory(bytes);
    } catch (error) {
      end(error);
    }
  });
  pipe.on("error", () => end(null));
  pipe.on("end", () => end(null, true));
  pipe.on("close", () => end(null));
  return {
    get closed() {
      return closed;
    },
    get size() {
      return mux.size;
    },
    open(target, { onAccept, window } = {}) {
      let stream: MuxStream;
      const { duplex, events } = createGateDuplex(Duplex, () => stream, window);
      stream = mux.open(target, onAccept === undefined ? events : { ...events, onAccept });
      if (window !== undefined) stream.widen(window);
      return duplex;
    },
    close: () => end(null),
  };
}

function createCall<D extends DuplexLike>(
  Duplex: DuplexClass<D>,
  stream: MuxStream,
  window: number | undefined,
): GateCall<D> {
  const { duplex, events } = createGateDuplex(Duplex, () => stream, window);
  let taken = false;
  let takenBack = (): void => {};
  stream.events = {
    ...events,
    onReset(cause, drains) {
      if (taken) return events.onReset(cause, drains);
      // Until it is taken nobody hears its errors, and one that nobody hears would end the process.
      duplex.destroy();
      takenBack();
    },
  };
  return {
    target: stream.target,
    accept() {
      taken = true;
      stream.accept();
      if (window !== undefined) stream.widen(window);
      return duplex;
    },
    refuse(refusal, reason) {
      stream.refuse(refusal, reason);
      // It has no reader: what was sent early goes with it.
      duplex.destroy();
    },
    onTakenBack(listener) {
      takenBack = listener;
    },
  };
}

/** All frames of one turn leave in one write. */
function gatherWrites(pipe: BytePipe): (bytes: Uint8Array, written?: Written) => void {
  let corked = false;
  const flush = (): void => {
    corked = false;
    pipe.uncork();
  };
  return (bytes, written) => {
    if (!corked) {
      corked = true;
      pipe.cork();
      queueMicrotask(flush);
    }
    pipe.write(bytes, written);
  };
}
