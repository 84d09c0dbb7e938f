/**
 * Many streams over one pipe of the gate, for both ends alike (README, gate). One end, the caller,
 * opens streams; the other, the callee, accepts or refuses them. Pure: bytes come in by `receive`,
 * leave by `output`; nothing here waits or buffers what it was given.
 */
import { DonjonError } from "@donjon/core/errors";
import {
  GATE_STREAM_WINDOW,
  MAX_CREDIT,
  MAX_GATE_REASON_BYTES,
  MAX_GATE_STREAMS,
  MAX_GATE_TARGET_BYTES,
} from "../limits.ts";
import {
  decodeU32,
  encodeMuxFrame,
  encodeMuxHeader,
  encodeU32,
  MAX_MUX_DATA_BYTES,
  MUX_KIND,
  MuxDecoder,
  type MuxKind,
} from "./mux-frame.ts";

/** The number both ends state first; another is refused. */
export const MUX_PROTOCOL = 1;

/** Why a stream is refused, as one octet. */
export const MUX_REFUSAL = { refused: 1, unknown: 2, busy: 3, unreachable: 4 } as const;
export type MuxRefusal = (typeof MUX_REFUSAL)[keyof typeof MUX_REFUSAL];
const LAST_REFUSAL = 4;

/** The pipe has passed it on; with an error: it is broken, and may not have. */
export type Written = (error?: Error | null) => void;

export interface MuxStreamEvents {
  /** The callee took the stream. Data may have been sent before. */
  onAccept?(): void;
  /** The callee refused it, and says why in a sentence; nothing follows. */
  onRefuse?(refusal: MuxRefusal, reason: string): void;
  /**
   * Bytes, in the memory of what was given to `receive`. Say `consumed` once they are used up. Answers whether that memory is
   * still needed afterwards.
   */
  onData(piece: Uint8Array): boolean;
  /** No more bytes will come. */
  onEnd(): void;
  /**
   * The stream is gone in both directions; nothing follows. The cause, when the whole pipe went; `drains`: it came to its end, and
   * what was received whole may still be read.
   */
  onReset(cause?: unknown, drains?: boolean): void;
  /** `writable()` may have grown. */
  onWritable(): void;
}

export interface MuxStream {
  readonly id: number;
  /** What the caller asked for. */
  readonly target: string;
  /** Must be set before the stream carries anything: in `onOpen`, or by `open`. */
  events: MuxStreamEvents | null;
  /** Callee only: the stream was taken. */
  accept(): void;
  /** Callee only: the stream was not taken, and why in a sentence. It is gone. */
  refuse(refusal: MuxRefusal, reason: string): void;
  /** Octets that `write` takes now. */
  writable(): number;
  /** Sends 1 to `writable()` octets; they must stay as they are until the pipe says `written`. */
  write(bytes: Uint8Array, written?: Written): void;
  /** The same for several pieces, none of them empty, in one frame. */
  writeAll(pieces: readonly Uint8Array[], written?: Written): void;
  /** No more bytes from here. */
  end(): void;
  /** Ends both directions at once. */
  reset(): void;
  /** Allows the other end so many octets more, sooner or later. */
  consumed(bytes: number): void;
  /** Lets the other end send up to `bytes` unread instead of `GATE_STREAM_WINDOW`. Before anything was received. */
  widen(bytes: number): void;
}

export interface MuxOptions {
  readonly role: "caller" | "callee";
  /** Bytes for the pipe, in order. `written` is called once the pipe has passed them on, or is broken. */
  output(bytes: Uint8Array, written?: Written): void;
  /** Callee: a stream was opened; set its `events`, then `accept` or `refuse` it, now or later. */
  onOpen?(stream: MuxStream): void;
}

const UTF8 = new TextDecoder("utf-8", { fatal: true });
const EMPTY = new Uint8Array(0);

interface StreamState extends MuxStream {
  /** Octets this end may send. */
  sendCredit: number;
  /** Octets the other end may send. */
  receiveCredit: number;
  /** Octets the other end may have unread at any time. */
  window: number;
  /** Octets consumed and not yet allowed again. */
  owed: number;
  answered: boolean;
  sentEnd: boolean;
  receivedEnd: boolean;
  gone: boolean;
}

export class Mux {
  readonly #options: MuxOptions;
  readonly #streams = new Map<number, StreamState>();
  readonly #decoder: MuxDecoder;
  #lastId = 0;
  #greeted = false;
  /** Whether a stream still needs the memory of what was received last. */
  #kept = false;
  #closed = false;

  constructor(options: MuxOptions) {
    this.#options = options;
    this.#decoder = new MuxDecoder({
      onData: (id, length) => this.#spend(this.#known(id, "data"), length),
      onPiece: (id, piece) => {
        if (this.#streams.get(id)?.events?.onData(piece) === true) this.#kept = true;
      },
      onFrame: (kind, id, payload) => this.#onFrame(kind, id, payload),
    });
    this.#send(MUX_KIND.preface, 0, encodeU32(MUX_PROTOCOL));
  }

  /** Streams that are open now. */
  get size(): number {
    return this.#streams.size;
  }

  /**
   * Answers whether a stream still needs the memory of `chunk`. Throws `gate/protocol` or `gate/limit`: the pipe is then lost,
   * call `close`.
   */
  receive(chunk: Uint8Array): boolean {
    this.#kept = false;
    if (!this.#closed) this.#decoder.push(chunk);
    return this.#kept;
  }

  /** Caller only: asks for `target`. Bytes may be sent at once; they count against the first window. */
  open(target: string, events: MuxStreamEvents): MuxStream {
    const name = new TextEncoder().encode(target);
    if (this.#options.role !== "caller") throw new TypeError("only the caller opens streams");
    if (name.length === 0 || name.length > MAX_GATE_TARGET_BYTES) {
      throw new RangeError(
        `a target of ${name.length} octets, wanted 1 to ${MAX_GATE_TARGET_BYTES}`,
      );
    }
    if (this.#closed) throw new DonjonError("gate/closed", "the gate is closed");
    if (this.#streams.size >= MAX_GATE_STREAMS) throw tooManyStreams();
    this.#lastId++;
    const stream = this.#create(this.#lastId, target);
    stream.events = events;
    this.#send(MUX_KIND.open, stream.id, name);
    return stream;
  }

  /** The pipe is gone: every stream is reset, and told the cause. */
  close(cause?: unknown, drains = false): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const stream of [...this.#streams.values()]) this.#drop(stream, cause, drains);
  }

  #onFrame(kind: MuxKind, id: number, payload: Uint8Array): void {
    if (kind === MUX_KIND.preface) this.#onPreface(id, payload);
    else if (!this.#greeted) throw violation("a frame before the preface");
    else if (kind === MUX_KIND.open) this.#onOpen(id, payload);
    else this.#onStreamFrame(this.#known(id, "a frame"), kind, payload);
  }

  /** `null`: a frame for a stream that this end has just dropped was still on its way. */
  #onStreamFrame(stream: StreamState | null, kind: MuxKind, payload: Uint8Array): void {
    if (stream === null) return;
    if (kind === MUX_KIND.end) this.#onEnd(stream);
    else if (kind === MUX_KIND.reset) this.#drop(stream);
    else if (kind === MUX_KIND.credit) this.#onCredit(stream, decodeU32(payload));
    else this.#onAnswer(stream, kind, payload);
  }

  #onPreface(id: number, payload: Uint8Array): void {
    const protocol = decodeU32(payload);
    if (this.#greeted || id !== 0) throw violation("a second preface");
    if (protocol !== MUX_PROTOCOL) {
      throw new DonjonError(
        "gate/protocol",
        `the other side of the gate speaks protocol ${protocol}, wanted ${MUX_PROTOCOL}; use a Keep and a host of one version`,
      );
    }
    this.#greeted = true;
  }

  #onOpen(id: number, payload: Uint8Array): void {
    if (this.#options.role !== "callee")
      throw violation("a stream, which only the caller may open");
    if (id !== this.#lastId + 1) throw violation(`stream ${id} after stream ${this.#lastId}`);
    this.#lastId = id;
    if (this.#streams.size >= MAX_GATE_STREAMS) throw tooManyStreams();
    this.#options.onOpen?.(this.#create(id, decodeText(payload)));
  }

  #onAnswer(stream: StreamState, kind: MuxKind, payload: Uint8Array): void {
    if (this.#options.role !== "caller" || stream.answered)
      throw violation("an answer out of turn");
    stream.answered = true;
    if (kind === MUX_KIND.accept) {
      stream.events?.onAccept?.();
    } else {
      this.#forget(stream);
      const refusal = payload[0] as number;
      if (refusal < 1 || refusal > LAST_REFUSAL) throw violation(`refusal ${refusal}`);
      stream.events?.onRefuse?.(refusal as MuxRefusal, decodeText(payload.subarray(1)));
    }
  }

  #onEnd(stream: StreamState): void {
    if (stream.receivedEnd) throw violation("a second end of a stream");
    stream.receivedEnd = true;
    if (stream.sentEnd) this.#forget(stream);
    stream.events?.onEnd();
  }

  #onCredit(stream: StreamState, bytes: number): void {
    stream.sendCredit += bytes;
    if (bytes === 0 || stream.sendCredit > MAX_CREDIT) {
      throw violation(`credit of ${bytes} octets, ${stream.sendCredit} in all`);
    }
    if (!stream.sentEnd) stream.events?.onWritable();
  }

  #spend(stream: StreamState | null, length: number): void {
    if (stream === null) return;
    if (stream.receivedEnd) throw violation("data after the end of a stream");
    stream.receiveCredit -= length;
    if (stream.receiveCredit >= 0) return;
    throw new DonjonError(
      "gate/limit",
      `the other side of the gate sent ${-stream.receiveCredit} octets more on a stream than it was allowed`,
    );
  }

  /** The stream, `null` when it is already gone, an error when there never was one. */
  #known(id: number, what: string): StreamState | null {
    if (!this.#greeted) throw violation("a frame before the preface");
    if (id === 0 || id > this.#lastId)
      throw violation(`${what} for stream ${id}, which was never opened`);
    return this.#streams.get(id) ?? null;
  }

  #create(id: number, target: string): StreamState {
    const stream: StreamState = {
      id,
      target,
      events: null,
      sendCredit: GATE_STREAM_WINDOW,
      receiveCredit: GATE_STREAM_WINDOW,
      window: GATE_STREAM_WINDOW,
      owed: 0,
      answered: false,
      sentEnd: false,
      receivedEnd: false,
      gone: false,
      accept: () => this.#answer(stream, MUX_KIND.accept, EMPTY),
      refuse: (refusal, reason) => {
        this.#answer(stream, MUX_KIND.refuse, encodeRefusal(refusal, reason));
        this.#forget(stream);
      },
      writable: () =>
        stream.gone || stream.sentEnd ? 0 : Math.min(stream.sendCredit, MAX_MUX_DATA_BYTES),
      write: (bytes, written) => this.#write(stream, [bytes], written),
      writeAll: (pieces, written) => this.#write(stream, pieces, written),
      end: () => this.#end(stream),
      reset: () => this.#reset(stream),
      consumed: (bytes) => this.#consumed(stream, bytes),
      widen: (bytes) => {
        const more = bytes - stream.window;
        if (more <= 0 || stream.gone) return;
        stream.window = bytes;
        this.#grant(stream, more);
      },
    };
    this.#streams.set(id, stream);
    return stream;
  }

  #answer(stream: StreamState, kind: MuxKind, payload: Uint8Array): void {
    if (this.#options.role !== "callee") throw new TypeError("only the callee answers");
    if (stream.answered || stream.gone) return;
    stream.answered = true;
    this.#send(kind, stream.id, payload);
  }

  #write(stream: StreamState, pieces: readonly Uint8Array[], written?: Written): void {
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    if (length === 0 || length > stream.writable()) {
      throw new RangeError(`${length} octets where 1 to ${stream.writable()} may be sent`);
    }
    stream.sendCredit -= length;
    const { output } = this.#options;
    output(encodeMuxHeader(MUX_KIND.data, stream.id, length));
    const last = pieces.length - 1;
    for (const [at, piece] of pieces.entries()) output(piece, at === last ? written : undefined);
  }

  #end(stream: StreamState): void {
    if (stream.sentEnd || stream.gone) return;
    stream.sentEnd = true;
    this.#send(MUX_KIND.end, stream.id, EMPTY);
    if (stream.receivedEnd) this.#forget(stream);
  }

  #reset(stream: StreamState): void {
    if (stream.gone) return;
    this.#send(MUX_KIND.reset, stream.id, EMPTY);
    this.#forget(stream);
  }

  /** Credit goes back in halves of the window: one small frame for many reads. */
  #consumed(stream: StreamState, bytes: number): void {
    stream.owed += bytes;
    if (stream.gone || stream.receivedEnd || stream.owed < stream.window / 2) return;
    this.#grant(stream, stream.owed);
    stream.owed = 0;
  }

  #grant(stream: StreamState, bytes: number): void {
    stream.receiveCredit += bytes;
    this.#send(MUX_KIND.credit, stream.id, encodeU32(bytes));
  }

  #drop(stream: StreamState, cause?: unknown, drains = false): void {
    this.#forget(stream);
    stream.events?.onReset(cause, drains);
  }

  #forget(stream: StreamState): void {
    stream.gone = true;
    this.#streams.delete(stream.id);
  }

  #send(kind: MuxKind, id: number, payload: Uint8Array): void {
    if (!this.#closed) this.#options.output(encodeMuxFrame(kind, id, payload));
  }
}

function decodeText(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch (cause) {
    throw new DonjonError("gate/protocol", "the gate carries text that is not UTF-8", { cause });
  }
}

/** One octet and a sentence, cut at a character when it is too long. */
function encodeRefusal(refusal: MuxRefusal, reason: string): Uint8Array {
  const bytes = new Uint8Array(MAX_GATE_REASON_BYTES);
  bytes[0] = refusal;
  const { written } = new TextEncoder().encodeInto(reason || "refused", bytes.subarray(1));
  return bytes.subarray(0, 1 + written);
}

function tooManyStreams(): DonjonError {
  return new DonjonError(
    "gate/limit",
    `more than ${MAX_GATE_STREAMS} streams are open on the gate`,
  );
}

function violation(found: string): DonjonError {
  return new DonjonError("gate/protocol", `the other side of the gate sent ${found}`);
}
