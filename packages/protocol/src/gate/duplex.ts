/**
 * A gate stream as the platform's Duplex, with back-pressure in both directions. The class comes from
 * the caller, because this package knows no platform and both sides of the gate need the same.
 */
import { DonjonError } from "@donjon/core/errors";
import { GATE_STREAM_WINDOW } from "../limits.ts";
import { releaseMemory } from "./memory.ts";
import { MUX_REFUSAL, type MuxStream, type MuxStreamEvents } from "./mux.ts";

type Done = (error?: Error | null) => void;

/** The part of `node:stream`'s Duplex that is used here. */
export interface DuplexLike {
  readonly readableFlowing: boolean | null;
  readonly readableLength: number;
  readonly readableEnded: boolean;
  once(event: "end", listener: () => void): unknown;
  push(chunk: Uint8Array | null): boolean;
  destroy(error?: Error): unknown;
}

export interface DuplexOptions {
  readonly allowHalfOpen: boolean;
  readonly readableHighWaterMark: number;
  readonly writableHighWaterMark: number;
  read(): void;
  write(chunk: Uint8Array, encoding: string, done: Done): void;
  /** What was corked: TLS writes its records so, and each must not wait for the one before. */
  writev(chunks: readonly { readonly chunk: Uint8Array }[], done: Done): void;
  final(done: Done): void;
  destroy(error: Error | null, done: Done): void;
}

export type DuplexClass<D extends DuplexLike> = new (options: DuplexOptions) => D;

export interface GateDuplex<D extends DuplexLike> {
  readonly duplex: D;
  readonly events: MuxStreamEvents;
}

/** Sealed octets of one stream that may wait for the pipe while TLS seals the next. */
const MAX_AHEAD_BYTES = 256 << 10;

type Use = "reads at once" | "tls";
const streams = new WeakMap<object, (use: Use) => void>();

/**
 * Says that whoever reads `duplex` has done with each piece when its listener returns, so that memory is given back at once instead
 * of left to the collector. Does nothing to what is no stream of the gate.
 */
export function readAtOnce(duplex: object): void {
  streams.get(duplex)?.("reads at once");
}

/**
 * Says that from now on the engine's TLS alone reads and writes `duplex`. It reads at once, and what it writes lies in memory of its
 * own: that is sent ahead, and given back as well. Does nothing to what is no stream of the gate.
 */
export function carryTls(duplex: object): void {
  streams.get(duplex)?.("tls");
}

interface Write {
  readonly whole: readonly Uint8Array[];
  /** What is still to be sent of them. */
  readonly rest: Uint8Array[];
  readonly done: Done;
}

/**
 * `stream` is called when it is first needed, so that events may be made before the stream is
 * opened. `window`: octets buffered in either direction before the other end is slowed.
 */
export function createGateDuplex<D extends DuplexLike>(
  Duplex: DuplexClass<D>,
  stream: () => MuxStream,
  window = GATE_STREAM_WINDOW,
): GateDuplex<D> {
  /** Consumed octets are given back only when the reader asks for more. */
  let unread = 0;
  let pending: Write | null = null;
  let over = false;
  /** Whether the other end has sent all that it will. */
  let ended = false;
  let readsAtOnce = false;
  let carriesTls = false;
  /** Octets that the pipe has not passed on though their write is done. */
  let ahead = 0;
  /** Waits until there are few of them; then until there are none. */
  let next: Done | null = null;
  let finished: Done | null = null;
  const detach = createDetacher();

  const begin = (chunks: readonly Uint8Array[], done: Done): void => {
    // No frame carries an empty one, and nothing would ever say that it went.
    const whole = chunks.filter(({ length }) => length > 0);
    if (whole.length === 0) {
      done();
      return;
    }
    pending = { whole, rest: [...whole], done };
    flush();
  };
  const flush = (): void => {
    while (pending !== null) {
      const { whole, rest, done } = pending;
      const room = stream().writable();
      if (room === 0) return;
      const pieces = takePieces(rest, room);
      if (rest.length > 0) {
        stream().writeAll(pieces);
        continue;
      }
      pending = null;
      // Not before the pipe has passed it on: until then the writer must leave the chunks as they are.
      if (!carriesTls) stream().writeAll(pieces, (error) => done(error ? gone() : null));
      else sendAhead(whole, pieces, done);
    }
  };
  const sendAhead = (whole: readonly Uint8Array[], pieces: Uint8Array[], done: Done): void => {
    const bytes = whole.reduce((sum, { length }) => sum + length, 0);
    ahead += bytes;
    stream().writeAll(pieces, (error) => {
      if (error) {
        // Whoever waits would wait for ever; and what a write that was cut off may still read is left to the collector.
        fail(gone());
        return;
      }
      ahead -= bytes;
      whole.forEach(releaseMemory);
      settle();
    });
    next = done;
    settle();
  };
  const settle = (): void => {
    const due = [ahead <= MAX_AHEAD_BYTES ? next : null, ahead === 0 ? finished : null];
    if (due[0] !== null) next = null;
    if (due[1] !== null) finished = null;
    for (const done of due) done?.();
  };
  const fail = (error: Error): void => {
    const lost = [pending?.done, next, finished];
    pending = next = finished = null;
    for (const done of lost) done?.(error);
  };

  const duplex = new Duplex({
    allowHalfOpen: true,
    readableHighWaterMark: window,
    writableHighWaterMark: window,
    read() {
      if (unread === 0) return;
      stream().consumed(unread);
      unread = 0;
    },
    write: (chunk, _encoding, done) => begin([chunk], done),
    writev: (chunks, done) =>
      begin(
        chunks.map(({ chunk }) => chunk),
        done,
      ),
    final(done) {
      stream().end();
      finished = done;
      settle();
    },
    destroy(error, done) {
      if (!over) stream().reset();
      over = true;
      fail(error ?? gone());
      done(error);
    },
  });
  streams.set(duplex, (use) => {
    readsAtOnce = true;
    carriesTls ||= use === "tls";
  });

  const events: MuxStreamEvents = {
    onData(piece) {
      if (over || piece.length === 0) return false;
      // Then its listener has it, and has done with it, when `push` returns.
      const passes = readsAtOnce && duplex.readableFlowing === true && duplex.readableLength === 0;
      if (duplex.push(passes ? piece : detach(piece))) stream().consumed(piece.length);
      else unread += piece.length;
      return !passes || duplex.readableLength > 0;
    },
    onEnd() {
      ended = true;
      if (!over) duplex.push(null);
    },
    onReset(cause, drains) {
      if (over) return;
      over = true;
      // Its reader may be slower than the pipe's end. What was written is lost, and told when the rest has been read.
      if (drains && ended && !duplex.readableEnded) duplex.once("end", () => duplex.destroy());
      else duplex.destroy(cause instanceof DonjonError ? cause : gone());
    },
    onRefuse(refusal, reason) {
      over = true;
      const code = refusal === MUX_REFUSAL.unreachable ? "gate/closed" : "gate/refused";
      duplex.destroy(new DonjonError(code, reason));
    },
    onWritable: flush,
  };
  return { duplex, events };
}

/** Up to `room` octets from the front of `chunks`, which keeps the rest. */
function takePieces(chunks: Uint8Array[], room: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let left = room;
  for (let head = chunks[0]; head !== undefined && left > 0; head = chunks[0]) {
    const piece = head.subarray(0, left);
    left -= piece.length;
    pieces.push(piece);
    if (piece.length === head.length) chunks.shift();
    else chunks[0] = head.subarray(piece.length);
  }
  return pieces;
}

/** Small pieces of one stream share memory of this size. */
const SLAB_BYTES = 4096;

/** What waits to be read must not hold much more memory than its credit paid for, such as all that came in one read with it. */
function createDetacher(): (piece: Uint8Array) => Uint8Array {
  let slab = new Uint8Array(0);
  return (piece) => {
    if (piece.length >= piece.buffer.byteLength / 4) return piece;
    if (piece.length > SLAB_BYTES / 4) return new Uint8Array(piece);
    if (piece.length > slab.length) slab = new Uint8Array(SLAB_BYTES);
    const kept = slab.subarray(0, piece.length);
    kept.set(piece);
    slab = slab.subarray(piece.length);
    return kept;
  };
}

function gone(): DonjonError {
  return new DonjonError("gate/closed", "the other side of the gate closed the stream");
}
