/**
 * Byte rings between two threads: one writer, one reader, shared memory, no locks.
 *
 * Positions are counters modulo 2^32 in cells of their own cache lines. Each end keeps its own position
 * and only ever loads the other's, cut to the capacity: a peer that scribbles on the counters can
 * garble its stream and nothing else.
 */
import type { SharedWords, Signal } from "./doorbell.ts";

// Words of the header, each on its own cache line.
const HEAD = 0;
const TAIL = 16;
const WRITER_CLOSED = 32;
const READER_CLOSED = 33;
const HEADER_BYTES = 192;

/** Bytes of shared memory that a ring of `capacity` bytes takes. */
export function ringBytes(capacity: number): number {
  return HEADER_BYTES + capacity;
}

interface Cells {
  readonly words: SharedWords;
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  readonly capacity: number;
}

function openCells(buffer: SharedArrayBuffer, offset: number, capacity: number): Cells {
  if (capacity <= 0 || (capacity & (capacity - 1)) !== 0) {
    throw new RangeError(`the capacity of a ring must be a power of two, got ${capacity}`);
  }
  return {
    words: new Int32Array(buffer, offset, HEADER_BYTES / 4),
    bytes: new Uint8Array(buffer, offset + HEADER_BYTES, capacity),
    capacity,
  };
}

/** Taken before anything of the workload's runs. Other than `TypedArray.prototype.set`, it does not copy shared memory octet by octet. */
const copyBytes = Buffer.prototype.copy;

/** Copies inside memory; short runs byte by byte, because a call costs more than they do. */
function copy(
  from: Uint8Array,
  fromOffset: number,
  to: Uint8Array,
  toOffset: number,
  length: number,
): void {
  if (length <= 16) {
    for (let i = 0; i < length; i++) to[toOffset + i] = from[fromOffset + i]!;
  } else if (copyBytes.call(from, to, toOffset, fromOffset, fromOffset + length) < length) {
    // By itself it copies what fits, and nothing of memory that is no longer there.
    throw new RangeError(`${length} bytes at ${fromOffset} do not fit at ${toOffset}`);
  }
}

/** The writing end of a ring. */
export class RingWriter {
  readonly capacity: number;
  readonly #words: SharedWords;
  readonly #bytes: Uint8Array<SharedArrayBuffer>;
  readonly #reader: Signal;
  #head: number;

  /** `reader` is rung when the reader may sleep on an empty ring. */
  constructor(buffer: SharedArrayBuffer, offset: number, capacity: number, reader: Signal) {
    const cells = openCells(buffer, offset, capacity);
    this.capacity = capacity;
    this.#words = cells.words;
    this.#bytes = cells.bytes;
    this.#reader = reader;
    this.#head = Atomics.load(cells.words, HEAD);
  }

  /** Bytes that can be written now. */
  space(): number {
    const used = (this.#head - Atomics.load(this.#words, TAIL)) >>> 0;
    return this.capacity - Math.min(used, this.capacity);
  }

  /** Whether nobody will read any more. */
  get abandoned(): boolean {
    return Atomics.load(this.#words, READER_CLOSED) !== 0;
  }

  get closed(): boolean {
    return Atomics.load(this.#words, WRITER_CLOSED) !== 0;
  }

  /** Takes as much as fits of `memory[offset..offset+length]`; answers how many bytes that was. */
  write(memory: Uint8Array, offset: number, length: number): number {
    const count = Math.min(length, this.space());
    if (count === 0) return 0;
    const before = this.#head;
    const at = (before >>> 0) & (this.capacity - 1);
    const first = Math.min(count, this.capacity - at);
    copy(memory, offset, this.#bytes, at, first);
    if (first < count) copy(memory, offset + first, this.#bytes, 0, count - first);
    this.#head = (before + count) | 0;
    Atomics.store(this.#words, HEAD, this.#head);
    // The tail is loaded after the head is stored: a reader that has seen all of the old bytes and
    // not these is rung, any other will look at the head again by itself.
    if (((before - Atomics.load(this.#words, TAIL)) | 0) <= 0) this.#reader.ring();
    return count;
  }

  /** The end of the stream. What was written before is still delivered. */
  close(): void {
    if (Atomics.exchange(this.#words, WRITER_CLOSED, 1) === 0) this.#reader.ring();
  }

  /** Says in place of the reader, whose thread is gone, that nobody reads any more. */
  loseReader(): void {
    Atomics.store(this.#words, READER_CLOSED, 1);
  }
}

/** The reading end of a ring. */
export class RingReader {
  readonly capacity: number;
  readonly #words: SharedWords;
  readonly #bytes: Uint8Array<SharedArrayBuffer>;
  readonly #writer: Signal;
  #tail: number;

  /** `writer` is rung when the writer may sleep on a full ring and half of it has become free. */
  constructor(buffer: SharedArrayBuffer, offset: number, capacity: number, writer: Signal) {
    const cells = openCells(buffer, offset, capacity);
    this.capacity = capacity;
    this.#words = cells.words;
    this.#bytes = cells.bytes;
    this.#writer = writer;
    this.#tail = Atomics.load(cells.words, TAIL);
  }

  /** Bytes that can be read now. */
  available(): number {
    const used = (Atomics.load(this.#words, HEAD) - this.#tail) >>> 0;
    return Math.min(used, this.capacity);
  }

  /** Whether the writer has closed and everything has been read. */
  get ended(): boolean {
    // In this order: bytes written before the close are seen by the second load.
    return Atomics.load(this.#words, WRITER_CLOSED) !== 0 && this.available() === 0;
  }

  /** The next bytes after `skip` that lie in one piece; empty when there are none. Valid until they are consumed. */
  view(skip = 0): Uint8Array<SharedArrayBuffer> {
    const at = ((this.#tail + skip) >>> 0) & (this.capacity - 1);
    const left = Math.max(0, this.available() - skip);
    return this.#bytes.subarray(at, at + Math.min(left, this.capacity - at));
  }

  /** Copies up to `length` bytes without taking them out. */
  peek(memory: Uint8Array, offset: number, length: number): number {
    const count = Math.min(length, this.available());
    const at = (this.#tail >>> 0) & (this.capacity - 1);
    const first = Math.min(count, this.capacity - at);
    copy(this.#bytes, at, memory, offset, first);
    if (first < count) copy(this.#bytes, 0, memory, offset + first, count - first);
    return count;
  }

  read(memory: Uint8Array, offset: number, length: number): number {
    const count = this.peek(memory, offset, length);
    if (count > 0) this.consume(count);
    return count;
  }

  /** Takes `count` bytes out. */
  consume(count: number): void {
    if (count > this.available()) {
      throw new RangeError(`cannot consume ${count} bytes of ${this.available()}`);
    }
    const before = this.#tail;
    this.#tail = (before + count) | 0;
    Atomics.store(this.#words, TAIL, this.#tail);
    // Loaded after the store, for the reason given in `RingWriter.write`. Only at half, so that two
    // fast threads exchange large pieces instead of waking each other for every few bytes.
    const used = (Atomics.load(this.#words, HEAD) - this.#tail) >>> 0;
    const half = this.capacity / 2;
    if (used <= half && used + count > half) this.#writer.ring();
  }

  /** Says in place of the writer, whose thread is gone, that nothing more will be written. */
  loseWriter(): void {
    Atomics.store(this.#words, WRITER_CLOSED, 1);
  }

  /** Nobody will read any more. */
  close(): void {
    if (Atomics.exchange(this.#words, READER_CLOSED, 1) === 0) this.#writer.ring();
  }
}
