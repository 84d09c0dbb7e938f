/**
 * Frames of one pipe of the gate: `kind(1) zero(3) stream(4) length(4)`, big-endian, then the payload
 * (README, gate). Pure: bytes in, calls out.
 */
import { DonjonError } from "@donjon/core/errors";
import { MAX_GATE_REASON_BYTES, MAX_GATE_TARGET_BYTES } from "../limits.ts";

export const MUX_HEADER_BYTES = 12;
/** Octets of one data frame: large enough to amortise, small enough that streams take turns. */
export const MAX_MUX_DATA_BYTES = 256 << 10;

export const MUX_KIND = {
  preface: 0,
  open: 1,
  accept: 2,
  refuse: 3,
  data: 4,
  end: 5,
  reset: 6,
  credit: 7,
} as const;
export type MuxKind = (typeof MUX_KIND)[keyof typeof MUX_KIND];

const NAMES = ["preface", "open", "accept", "refuse", "data", "end", "reset", "credit"] as const;
/** Smallest and largest payload by kind, in octets. */
const LENGTHS: readonly (readonly [number, number])[] = [
  [4, 4],
  [1, MAX_GATE_TARGET_BYTES],
  [0, 0],
  [2, MAX_GATE_REASON_BYTES],
  [1, MAX_MUX_DATA_BYTES],
  [0, 0],
  [0, 0],
  [4, 4],
];

export interface MuxFrameSink {
  /** A data frame begins; its pieces follow by `onPiece`. */
  onData(stream: number, length: number): void;
  /** A piece of a data frame as it arrived, never copied: valid as long as what was pushed. */
  onPiece(stream: number, piece: Uint8Array): void;
  /** Any other frame, with its whole payload (a copy). */
  onFrame(kind: MuxKind, stream: number, payload: Uint8Array): void;
}

export function encodeMuxHeader(kind: MuxKind, stream: number, length: number): Uint8Array {
  return writeHeader(new Uint8Array(MUX_HEADER_BYTES), kind, stream, length);
}

/** A whole frame with a short payload. */
export function encodeMuxFrame(kind: MuxKind, stream: number, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(MUX_HEADER_BYTES + payload.length);
  writeHeader(frame, kind, stream, payload.length);
  frame.set(payload, MUX_HEADER_BYTES);
  return frame;
}

export function encodeU32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

export function decodeU32(bytes: Uint8Array, at = 0): number {
  return (
    (((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)) >>>
    0
  );
}

function writeHeader(to: Uint8Array, kind: MuxKind, stream: number, length: number): Uint8Array {
  to[0] = kind;
  to.set(encodeU32(stream), 4);
  to.set(encodeU32(length), 8);
  return to;
}

/**
 * Cuts a byte stream into frames, however it is chunked. Throws `gate/protocol` or `gate/limit` on
 * the first malformed header; the pipe is then lost and must be closed.
 */
export class MuxDecoder {
  readonly #sink: MuxFrameSink;
  readonly #header = new Uint8Array(MUX_HEADER_BYTES);
  #fill = 0;
  #kind: MuxKind = MUX_KIND.preface;
  #stream = 0;
  /** Octets of the payload still to come. */
  #left = 0;
  #payload = new Uint8Array(0);

  constructor(sink: MuxFrameSink) {
    this.#sink = sink;
  }

  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#left > 0) at = this.#takePayload(chunk, at);
      else at = this.#takeHeader(chunk, at);
    }
  }

  /** Whether the bytes so far stop between two frames. */
  get between(): boolean {
    return this.#fill === 0 && this.#left === 0;
  }

  #takeHeader(chunk: Uint8Array, at: number): number {
    const count = Math.min(MUX_HEADER_BYTES - this.#fill, chunk.length - at);
    for (let i = 0; i < count; i++) this.#header[this.#fill + i] = chunk[at + i] as number;
    this.#fill += count;
    if (this.#fill === MUX_HEADER_BYTES) {
      this.#fill = 0;
      this.#begin(this.#header);
    }
    return at + count;
  }

  #begin(header: Uint8Array): void {
    const kind = header[0] as number;
    const length = decodeU32(header, 8);
    checkHeader(header, kind, length);
    this.#kind = kind as MuxKind;
    this.#stream = decodeU32(header, 4);
    this.#left = length;
    if (kind === MUX_KIND.data) this.#sink.onData(this.#stream, length);
    else if (length === 0) this.#sink.onFrame(this.#kind, this.#stream, new Uint8Array(0));
    else this.#payload = new Uint8Array(length);
  }

  #takePayload(chunk: Uint8Array, at: number): number {
    const count = Math.min(this.#left, chunk.length - at);
    const piece = chunk.subarray(at, at + count);
    if (this.#kind !== MUX_KIND.data) this.#payload.set(piece, this.#payload.length - this.#left);
    this.#left -= count;
    if (this.#kind === MUX_KIND.data) this.#sink.onPiece(this.#stream, piece);
    else if (this.#left === 0) this.#sink.onFrame(this.#kind, this.#stream, this.#payload);
    return at + count;
  }
}

function checkHeader(header: Uint8Array, kind: number, length: number): void {
  const name = NAMES[kind];
  const bounds = LENGTHS[kind];
  if (name === undefined || bounds === undefined) throw malformed(`frame kind ${kind}`, "0 to 7");
  if (header[1] !== 0 || header[2] !== 0 || header[3] !== 0) {
    throw malformed("a non-zero reserved field", "zero");
  }
  const [min, max] = bounds;
  if (length >= min && length <= max) return;
  const found = `a ${name} frame of ${length} octets`;
  if (length > max) {
    throw new DonjonError("gate/limit", `the gate carries ${found}; at most ${max} are allowed`);
  }
  throw malformed(found, `at least ${min}`);
}

function malformed(found: string, wanted: string): DonjonError {
  return new DonjonError(
    "gate/protocol",
    `the gate carries ${found}, wanted ${wanted}; the other side is broken or of another version`,
  );
}
