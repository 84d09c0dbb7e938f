/**
 * Byte streams that a workload may hold: stdio, pipes and connections.
 * Nothing here waits. An operation that cannot go on answers `PENDING`, and the caller waits on the
 * `Waiter` of the instance and tries again: one loop serves blocking threads, JSPI and remote calls.
 *
 * Buffers are given as (memory, offset, length) and not as sub-arrays, because making a view costs
 * more than a small read does. The caller has checked that the range lies inside `memory`.
 */
import type { Outcome } from "../errno.ts";

/** Answer of `ready()` when the stream is at its end (or its peer is gone): a call will not wait. */
export const HUNG_UP = -1;

export interface InputStream {
  /** Moves up to `length` bytes to `memory[offset..]`. 0 is the end of the stream (or length 0). */
  read(memory: Uint8Array, offset: number, length: number): Outcome;
  /** Like `read`, but leaves the bytes in the stream. */
  peek(memory: Uint8Array, offset: number, length: number): Outcome;
  /** Bytes that can be read now; 0 would wait; `HUNG_UP` at the end. */
  ready(): number;
  /** The reader will not read any more. */
  close(): void;
}

export interface OutputStream {
  /** Takes up to `length` bytes from `memory[offset..]`; answers how many, `PENDING`, or `-pipe`. */
  write(memory: Uint8Array, offset: number, length: number): Outcome;
  /** Bytes that can be written now; 0 would wait; `HUNG_UP` when nobody reads. */
  ready(): number;
  /** The end of the stream; what was written before is still delivered. */
  close(): void;
}

/** One connection: two independent halves. */
export interface Connection {
  readonly input: InputStream;
  readonly output: OutputStream;
}

export interface Listener {
  /** The next connection, `PENDING`, or `-errno` when the listener is closed. */
  accept(): Connection | Outcome;
  /** Connections that wait to be accepted. */
  ready(): number;
  close(): void;
}

/**
 * The one thing an instance waits on. `epoch` changes whenever the readiness of any stream or
 * listener of the instance may have changed.
 */
export interface Waiter {
  epoch(): number;
  /**
   * Returns when `epoch() !== seen`, when the monotonic clock has reached `deadline` (nanoseconds;
   * `null`: never), or spuriously.
   */
  wait(seen: number, deadline: bigint | null): void;
}

/** The same for a thread that must not block; `wait` resolves where the other one returns. */
export interface AsyncWaiter {
  epoch(): number;
  wait(seen: number, deadline: bigint | null): Promise<void>;
}
