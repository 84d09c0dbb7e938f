/** Moving bytes between an endpoint and the buffers that an array of `iovec` names. */
import { fail, type Outcome } from "../errno.ts";
import type { GuestMemory } from "./memory.ts";

/** Bytes of an `iovec` or `ciovec`: pointer and length, u32 each. */
export const IOVEC_SIZE = 8;

/**
 * Buffers used by one call, empty ones not counted; what lies behind them makes the answer short.
 * The same number as Linux's `UIO_MAXIOV`, but a short answer instead of `inval`, because wasmtime
 * has no limit and programs must cope with short answers anyway.
 */
export const MAX_BUFFERS = 1024;

/** Bytes one call can move: the answer is a u32. */
export const MAX_TRANSFER = 0xffff_ffff;

const FAULT = fail("fault");

/** Moves bytes between `target` and `bytes[offset..offset + length]`. */
export type Transfer<T> = (
  target: T,
  bytes: Uint8Array,
  offset: number,
  length: number,
  position: number,
) => Outcome;

export class Vectors {
  /** Whether the last `move` moved all that its buffers can hold. */
  complete = false;
  readonly #memory: GuestMemory;

  constructor(memory: GuestMemory) {
    this.#memory = memory;
  }

  /** Whether the array and every buffer in it lie inside the memory. */
  valid(iovs: number, count: number): boolean {
    const memory = this.#memory;
    if (!memory.has(iovs, count * IOVEC_SIZE)) return false;
    for (let at = iovs, end = iovs + count * IOVEC_SIZE; at < end; at += IOVEC_SIZE) {
      if (!memory.has(memory.u32(at), memory.u32(at + 4))) return false;
    }
    return true;
  }

  /**
   * Transfers buffer by buffer, from `skip` bytes after their start on, until one comes up short.
   * Answers the bytes moved; an errno or `PENDING` only when there are none.
   * Ranges are checked again at their use: another thread may have changed the array since `valid`.
   */
  move<T>(
    iovs: number,
    count: number,
    skip: number,
    transfer: Transfer<T>,
    target: T,
    position: number,
  ): Outcome {
    const memory = this.#memory;
    this.complete = false;
    let moved = 0;
    let used = 0;
    for (let at = iovs, end = iovs + count * IOVEC_SIZE; at < end; at += IOVEC_SIZE) {
      const pointer = memory.u32(at);
      const size = memory.u32(at + 4);
      if (size <= skip) {
        skip -= size;
        continue;
      }
      if (!memory.has(pointer, size)) return moved > 0 ? moved : FAULT;
      if (used++ === MAX_BUFFERS) return moved;
      const length = Math.min(size - skip, MAX_TRANSFER - moved);
      const outcome = transfer(target, memory.bytes, pointer + skip, length, position + moved);
      if (outcome < 0) return moved > 0 ? moved : outcome;
      moved += outcome;
      if (outcome < size - skip) return moved;
      skip = 0;
    }
    this.complete = true;
    return moved;
  }
}
