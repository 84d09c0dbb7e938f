/**
 * The bytes of one file.
 *
 * Content is a row of chunks of `CHUNK_BYTES`. A chunk is allocated when it is first written, may
 * be shorter than `CHUNK_BYTES` (it grows by doubling, so a small file stays small and appends are
 * amortised), and reads as zeros past its end. A chunk that was never written reads from `#base`,
 * the content inside a packed tree, which is used in place and never written to; past the end of
 * `#base` it is a hole. So a sparse file of a tebibyte costs nothing.
 *
 * Rejected: one growable buffer (doubling 100 MB copies 100 MB), `ArrayBuffer.prototype.resize`
 * (must reserve its maximum), chunks of a fixed size only (256 KiB for a file of ten bytes).
 */
import { fail, type Outcome } from "../errno.ts";
import { CHUNK_COST_BYTES, type Space } from "./space.ts";

export const CHUNK_BYTES = 256 * 1024;

/** Largest size of a file: 8 TiB. Far above memory; it only bounds sparse files. */
export const MAX_FILE_BYTES = 2 ** 43;

/** The first allocation of a chunk is rounded up to this. */
const MIN_CHUNK_BYTES = 64;

/** Below this a loop is faster than making a view for `Uint8Array.prototype.set` (measured). */
const LOOP_COPY_BYTES = 32;

const EMPTY = new Uint8Array(0);

function copy(from: Uint8Array, at: number, to: Uint8Array, offset: number, length: number): void {
  if (length <= LOOP_COPY_BYTES) {
    for (let i = 0; i < length; i++) to[offset + i] = from[at + i] as number;
  } else {
    to.set(from.subarray(at, at + length), offset);
  }
}

/** A new buffer of zeros, or undefined when the engine has no memory for it. */
export function allocateBytes(length: number): Uint8Array<ArrayBuffer> | undefined {
  try {
    return new Uint8Array(length);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

export class FileContent {
  readonly #space: Space;
  #size: number;
  /** Content of a packed tree, cut to what of it is still inside the file. */
  #base: Uint8Array;
  /** Chunk 0, apart from the others because most files have no other. */
  #head: Uint8Array | undefined = undefined;
  #rest: Map<number, Uint8Array> | undefined = undefined;

  constructor(space: Space, base: Uint8Array = EMPTY) {
    this.#space = space;
    this.#base = base;
    this.#size = base.length;
  }

  get size(): number {
    return this.#size;
  }

  /** Whether the content is still `base` itself, untouched. */
  isInPlace(base: Uint8Array): boolean {
    return (
      this.#head === undefined &&
      this.#rest === undefined &&
      this.#size === base.length &&
      this.#base.length === base.length &&
      (base.length === 0 ||
        (this.#base.buffer === base.buffer && this.#base.byteOffset === base.byteOffset))
    );
  }

  read(memory: Uint8Array, offset: number, length: number, position: number): number {
    const count = Math.min(length, this.#size - position);
    let done = 0;
    while (done < count) {
      const at = position + done;
      const index = Math.floor(at / CHUNK_BYTES);
      const within = at - index * CHUNK_BYTES;
      const part = Math.min(CHUNK_BYTES - within, count - done);
      const chunk = index === 0 ? this.#head : this.#rest?.get(index);
      if (chunk === undefined) copyOut(this.#base, at, memory, offset + done, part);
      else copyOut(chunk, within, memory, offset + done, part);
      done += part;
    }
    return done;
  }

  /** Writes as much as there is space for; `-nospc` when that is nothing, `-fbig` past the limit. */
  write(memory: Uint8Array, offset: number, length: number, position: number): Outcome {
    if (position + length > MAX_FILE_BYTES) return fail("fbig");
    let done = 0;
    while (done < length) {
      const at = position + done;
      const index = Math.floor(at / CHUNK_BYTES);
      const within = at - index * CHUNK_BYTES;
      const part = Math.min(CHUNK_BYTES - within, length - done);
      let chunk = index === 0 ? this.#head : this.#rest?.get(index);
      if (chunk === undefined || chunk.length < within + part) {
        chunk = this.#grow(index, within + part, chunk);
        if (chunk === undefined) break;
      }
      copy(memory, offset + done, chunk, within, part);
      done += part;
    }
    if (done === 0 && length > 0) return fail("nospc");
    if (position + done > this.#size) this.#size = position + done;
    return done;
  }

  truncate(size: number): Outcome {
    if (size > MAX_FILE_BYTES) return fail("fbig");
    if (size < this.#size) this.#cut(size);
    this.#size = size;
    return 0;
  }

  /** Allocates the whole range, or nothing. */
  allocate(position: number, length: number): Outcome {
    const end = position + length;
    if (end > MAX_FILE_BYTES) return fail("fbig");
    const free = this.#space.limit - this.#space.used;
    // Refused before the row of chunks is walked: it is as long as the guest says.
    if (length > this.#space.limit) return fail("nospc");
    let needed = 0;
    for (const [index, wanted] of chunksOf(position, end)) {
      const chunk = this.#chunk(index);
      if (chunk !== undefined && chunk.length >= wanted) continue;
      needed += this.#cost(this.#least(index, wanted, chunk), chunk);
      if (needed > free) return fail("nospc");
    }
    for (const [index, wanted] of chunksOf(position, end)) {
      const chunk = this.#chunk(index);
      if (chunk !== undefined && chunk.length >= wanted) continue;
      if (!this.#lengthen(index, this.#least(index, wanted, chunk), chunk)) return fail("nospc");
    }
    if (end > this.#size) this.#size = end;
    return 0;
  }

  /** The content in order, as views that are valid until the next change. */
  *pieces(): Generator<Uint8Array, void, undefined> {
    let zeros = EMPTY;
    for (let at = 0; at < this.#size; at += CHUNK_BYTES) {
      const length = Math.min(CHUNK_BYTES, this.#size - at);
      const chunk = this.#chunk(at / CHUNK_BYTES);
      const found = chunk?.subarray(0, length) ?? this.#base.subarray(at, at + length);
      if (found.length > 0) yield found;
      if (found.length < length) {
        if (zeros.length === 0) zeros = new Uint8Array(CHUNK_BYTES);
        yield zeros.subarray(0, length - found.length);
      }
    }
  }

  equals(other: Uint8Array): boolean {
    if (this.isInPlace(other)) return true;
    if (this.#size !== other.length) return false;
    let at = 0;
    for (const piece of this.pieces()) {
      for (let i = 0; i < piece.length; i++) if (piece[i] !== other[at + i]) return false;
      at += piece.length;
    }
    return true;
  }

  #chunk(index: number): Uint8Array | undefined {
    return index === 0 ? this.#head : this.#rest?.get(index);
  }

  #put(index: number, chunk: Uint8Array | undefined): void {
    if (index === 0) {
      this.#head = chunk;
    } else if (chunk === undefined) {
      this.#rest?.delete(index);
    } else {
      this.#rest ??= new Map();
      this.#rest.set(index, chunk);
    }
  }

  /** Makes chunk `index` at least `wanted` bytes long, and longer when there is space. */
  #grow(index: number, wanted: number, old: Uint8Array | undefined): Uint8Array | undefined {
    const least = this.#least(index, wanted, old);
    const more = this.#comfortable(index, least, old);
    return this.#lengthen(index, more, old) ?? this.#lengthen(index, least, old);
  }

  /** The shortest length of chunk `index` that holds `wanted` bytes and what the file shows there. */
  #least(index: number, wanted: number, old: Uint8Array | undefined): number {
    return Math.max(wanted, this.#shown(index, old).length);
  }

  #shown(index: number, old: Uint8Array | undefined): Uint8Array {
    const start = index * CHUNK_BYTES;
    return old ?? this.#base.subarray(start, start + CHUNK_BYTES);
  }

  /** What a chunk of `length` bytes takes more than `old`. */
  #cost(length: number, old: Uint8Array | undefined): number {
    return old === undefined ? length + CHUNK_COST_BYTES : length - old.length;
  }

  #lengthen(index: number, length: number, old: Uint8Array | undefined): Uint8Array | undefined {
    const cost = this.#cost(length, old);
    if (!this.#space.take(cost)) return undefined;
    const chunk = allocateBytes(length);
    if (chunk === undefined) {
      this.#space.give(cost);
      return undefined;
    }
    chunk.set(this.#shown(index, old));
    this.#put(index, chunk);
    return chunk;
  }

  /** How long a chunk should be so that appends stay cheap. */
  #comfortable(index: number, least: number, old: Uint8Array | undefined): number {
    if (old !== undefined) return Math.min(CHUNK_BYTES, Math.max(least, old.length * 2));
    // A file that fills chunk after chunk will fill this one as well.
    if (index > 0 && this.#chunk(index - 1)?.length === CHUNK_BYTES) return CHUNK_BYTES;
    return Math.min(CHUNK_BYTES, Math.ceil(least / MIN_CHUNK_BYTES) * MIN_CHUNK_BYTES);
  }

  /** Drops everything from `size` on, so that a later extension shows zeros. */
  #cut(size: number): void {
    if (this.#base.length > size) this.#base = this.#base.subarray(0, size);
    const last = Math.floor(size / CHUNK_BYTES);
    const within = size - last * CHUNK_BYTES;
    if (this.#head !== undefined) this.#cutChunk(0, this.#head, last, within);
    if (this.#rest === undefined) return;
    for (const [index, chunk] of this.#rest) this.#cutChunk(index, chunk, last, within);
    if (this.#rest.size === 0) this.#rest = undefined;
  }

  #cutChunk(index: number, chunk: Uint8Array, last: number, within: number): void {
    if (index < last) return;
    if (index > last || within === 0) {
      this.#space.give(chunk.length + CHUNK_COST_BYTES);
      this.#put(index, undefined);
    } else {
      chunk.fill(0, within);
    }
  }
}

function copyOut(
  from: Uint8Array,
  at: number,
  memory: Uint8Array,
  offset: number,
  length: number,
): void {
  const there = Math.max(0, Math.min(length, from.length - at));
  copy(from, at, memory, offset, there);
  if (there < length) memory.fill(0, offset + there, offset + length);
}

/** The chunks that `position..end` touches, each with the length that it must have for that. */
function* chunksOf(position: number, end: number): Generator<[index: number, wanted: number]> {
  for (let index = Math.floor(position / CHUNK_BYTES); index * CHUNK_BYTES < end; index++) {
    yield [index, Math.min(CHUNK_BYTES, end - index * CHUNK_BYTES)];
  }
}
