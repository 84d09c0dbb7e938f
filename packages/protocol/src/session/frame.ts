/**
 * Frames of a session: `kind(1) channel(1) zero(2) length(4, big-endian)`, then the payload
 * (README, session). Pure: bytes in, calls out.
 */
import { DonjonError } from "@donjon/core/errors";
import { MAX_FRAME_BYTES, MAX_MESSAGE_BYTES } from "../limits.ts";

export const FRAME_HEADER_BYTES = 8;

export const FRAME_KIND = { message: 0, data: 1, end: 2, credit: 3 } as const;
export type FrameKind = (typeof FRAME_KIND)[keyof typeof FRAME_KIND];

export const CHANNEL = {
  control: 0,
  stdin: 1,
  stdout: 2,
  stderr: 3,
  upload: 4,
  download: 5,
} as const;
export type Channel = (typeof CHANNEL)[keyof typeof CHANNEL];
export const CHANNEL_COUNT = 6;

/** Octets of a credit frame's payload. */
export const CREDIT_BYTES = 4;

/** What a decoder has found. The arrays are valid during the call only, unless the caller owns what it pushed. */
export interface FrameSink {
  /** A whole message, a JSON object in UTF-8. */
  onMessage(payload: Uint8Array): void;
  /** A data frame begins: so much is the sender about to use of its credit. */
  onDataFrame(channel: Channel, length: number): void;
  /** A piece of a data frame, as it arrived: never copied, never joined. */
  onData(channel: Channel, piece: Uint8Array): void;
  onEnd(channel: Channel): void;
  onCredit(channel: Channel, bytes: number): void;
}

const KIND_NAMES = ["message", "data", "end", "credit"] as const;

/** The header of a frame; the payload follows it on the wire. */
export function encodeFrameHeader(kind: FrameKind, channel: Channel, length: number): Uint8Array {
  const header = new Uint8Array(FRAME_HEADER_BYTES);
  header[0] = kind;
  header[1] = channel;
  writeU32(header, 4, length);
  return header;
}

/** A whole credit frame. */
export function encodeCreditFrame(channel: Channel, bytes: number): Uint8Array {
  const frame = new Uint8Array(FRAME_HEADER_BYTES + CREDIT_BYTES);
  frame[0] = FRAME_KIND.credit;
  frame[1] = channel;
  frame[7] = CREDIT_BYTES;
  writeU32(frame, FRAME_HEADER_BYTES, bytes);
  return frame;
}

/**
 * Cuts a byte stream into frames, however it is chunked. Throws `session/protocol` or
 * `session/limit` on the first malformed header; it is then broken and must not be pushed to again.
 */
export class FrameDecoder {
  readonly #sink: FrameSink;
  readonly #header = new Uint8Array(FRAME_HEADER_BYTES);
  #headerFill = 0;
  #kind: FrameKind = FRAME_KIND.message;
  #channel: Channel = CHANNEL.control;
  /** Octets of the payload still to come. */
  #left = 0;
  /** Gathers the payload of a message or credit frame that comes in pieces. */
  #gather: Uint8Array | null = null;
  #gatherFill = 0;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      at = this.#left > 0 ? this.#takePayload(chunk, at) : this.#takeHeader(chunk, at);
    }
  }

  /** Checks that the stream stopped between two frames. */
  finish(): void {
    if (this.#headerFill === 0 && this.#left === 0) return;
    throw new DonjonError(
      "session/protocol",
      "the session's stream ended inside a frame; the other side was cut off",
    );
  }

  #takeHeader(chunk: Uint8Array, at: number): number {
    const header = this.#header;
    const count = Math.min(FRAME_HEADER_BYTES - this.#headerFill, chunk.length - at);
    for (let i = 0; i < count; i++) header[this.#headerFill + i] = chunk[at + i] as number;
    this.#headerFill += count;
    if (this.#headerFill === FRAME_HEADER_BYTES) {
      this.#headerFill = 0;
      this.#beginFrame(header);
    }
    return at + count;
  }

  #beginFrame(header: Uint8Array): void {
    const length = readU32(header, 4);
    const { kind, channel } = checkHeader(header, length);
    this.#kind = kind;
    this.#channel = channel;
    this.#left = length;
    if (kind === FRAME_KIND.data) this.#sink.onDataFrame(channel, length);
    else if (kind === FRAME_KIND.end) this.#sink.onEnd(channel);
    else this.#gatherFill = 0;
  }

  #takePayload(chunk: Uint8Array, at: number): number {
    const count = Math.min(this.#left, chunk.length - at);
    const piece = count === chunk.length ? chunk : chunk.subarray(at, at + count);
    const whole = count === this.#left && this.#gather === null;
    this.#left -= count;
    if (this.#kind === FRAME_KIND.data) this.#sink.onData(this.#channel, piece);
    else if (whole) this.#deliver(piece);
    else this.#gatherPiece(piece);
    return at + count;
  }

  #gatherPiece(piece: Uint8Array): void {
    this.#gather ??= new Uint8Array(this.#left + piece.length);
    this.#gather.set(piece, this.#gatherFill);
    this.#gatherFill += piece.length;
    if (this.#left > 0) return;
    const payload = this.#gather;
    this.#gather = null;
    this.#deliver(payload);
  }

  #deliver(payload: Uint8Array): void {
    if (this.#kind === FRAME_KIND.message) this.#sink.onMessage(payload);
    else this.#sink.onCredit(this.#channel, readU32(payload, 0));
  }
}

function checkHeader(header: Uint8Array, length: number): { kind: FrameKind; channel: Channel } {
  const kind = header[0] as number;
  const channel = header[1] as number;
  const name = KIND_NAMES[kind];
  if (name === undefined) throw malformed(`kind ${kind}`, "0 to 3");
  if (channel >= CHANNEL_COUNT) throw malformed(`channel ${channel}`, "0 to 5");
  if (header[2] !== 0 || header[3] !== 0) throw malformed("a non-zero reserved field", "zero");
  if ((name === "message") !== (channel === CHANNEL.control)) {
    throw malformed(`kind ${name} on channel ${channel}`, "messages, and only they, on channel 0");
  }
  if (name === "end" && length !== 0) throw malformed(`an end of length ${length}`, "0");
  if (name === "credit" && length !== CREDIT_BYTES) {
    throw malformed(`a credit of length ${length}`, `${CREDIT_BYTES}`);
  }
  if ((name === "data" || name === "message") && length === 0) {
    throw malformed(`an empty ${name} frame`, "at least 1 octet");
  }
  const limit = name === "message" ? MAX_MESSAGE_BYTES : MAX_FRAME_BYTES;
  if (length > limit) {
    throw new DonjonError(
      "session/limit",
      `a ${name} frame of ${length} octets came; at most ${limit} are allowed`,
    );
  }
  return { kind: kind as FrameKind, channel: channel as Channel };
}

function malformed(found: string, wanted: string): DonjonError {
  return new DonjonError(
    "session/protocol",
    `the session carries ${found}, wanted ${wanted}; the other side is broken or of another version`,
  );
}

function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

function readU32(bytes: Uint8Array, at: number): number {
  const [a, b, c, d] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]] as number[];
  return (
    ((a as number) * 2 ** 24 + ((b as number) << 16) + ((c as number) << 8) + (d as number)) >>> 0
  );
}
