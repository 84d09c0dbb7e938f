/**
 * One end of a session: frames, credits and the order of messages, for the client and the Keep
 * alike. Pure: bytes come in by `receive`, leave by `send`; waiting is the caller's.
 */
import { DonjonError } from "@donjon/core/errors";
import { INITIAL_CREDIT, MAX_CREDIT, MAX_FRAME_BYTES } from "../limits.ts";
import type { ClientMessage } from "./client-message.ts";
import {
  CHANNEL,
  CHANNEL_COUNT,
  type Channel,
  encodeCreditFrame,
  encodeFrameHeader,
  FRAME_KIND,
  FrameDecoder,
} from "./frame.ts";
import type { KeepMessage } from "./keep-message.ts";
import { encodeMessage } from "./message.ts";
import type { SendFrame } from "./wire.ts";

export type SessionRole = "client" | "keep";
export type DataChannel = Exclude<Channel, 0>;

export interface SessionEvents<Message> {
  /** Bytes for the other side; `createFrameSender` makes one for a stream. */
  readonly send: SendFrame;
  onMessage(message: Message): void;
  /** Bytes of a channel, inside the credit given. */
  onData(channel: DataChannel, piece: Uint8Array): void;
  onEnd(channel: DataChannel): void;
  /** The other side allows more on a channel. */
  onCredit(channel: DataChannel): void;
}

interface Half {
  /** Octets that may still pass. */
  credit: number;
  ended: boolean;
}

/** Which channels each role writes; the other role writes credit for them. */
const WRITES: Readonly<Record<SessionRole, readonly DataChannel[]>> = {
  client: [CHANNEL.stdin, CHANNEL.upload],
  keep: [CHANNEL.stdout, CHANNEL.stderr, CHANNEL.download],
};
const CHANNEL_NAMES = Object.keys(CHANNEL);

export abstract class SessionPeer<Sent extends ClientMessage | KeepMessage, Received> {
  readonly #role: SessionRole;
  readonly #events: SessionEvents<Received>;
  readonly #halves: readonly Half[];
  readonly #decoder: FrameDecoder;
  readonly #parse: (payload: Uint8Array) => Received;

  constructor(
    role: SessionRole,
    events: SessionEvents<Received>,
    parse: (payload: Uint8Array) => Received,
  ) {
    this.#role = role;
    this.#events = events;
    this.#parse = parse;
    this.#halves = Array.from({ length: CHANNEL_COUNT }, () => ({
      credit: INITIAL_CREDIT,
      ended: false,
    }));
    this.#decoder = new FrameDecoder({
      onMessage: (payload) => this.#events.onMessage(this.#parse(payload)),
      onDataFrame: (channel, length) => this.#spend(this.#incoming(channel), channel, length),
      onData: (channel, piece) => this.#events.onData(channel as DataChannel, piece),
      onEnd: (channel) => {
        this.#incoming(channel).ended = true;
        this.#events.onEnd(channel as DataChannel);
      },
      onCredit: (channel, bytes) => this.#takeCredit(channel, bytes),
    });
  }

  /** Throws `session/protocol` or `session/limit`: the session is then broken and must be closed. */
  receive(chunk: Uint8Array): void {
    this.#decoder.push(chunk);
  }

  /** The stream ended: throws when it did so inside a frame. */
  finish(): void {
    this.#decoder.finish();
  }

  sendMessage(message: Sent, sent: (() => void) | null = null): void {
    const payload = encodeMessage(message);
    const header = encodeFrameHeader(FRAME_KIND.message, CHANNEL.control, payload.length);
    this.#events.send(header, payload, sent);
  }

  /** Octets that `sendData` takes now on a channel that this side writes; 0 after `sendEnd`. */
  sendable(channel: DataChannel): number {
    const half = this.#outgoing(channel);
    return half.ended ? 0 : Math.min(half.credit, MAX_FRAME_BYTES);
  }

  /** Sends 1 to `sendable(channel)` octets as one frame; they must not change until `sent` is called. */
  sendData(channel: DataChannel, bytes: Uint8Array, sent: (() => void) | null = null): void {
    const half = this.#outgoing(channel);
    if (bytes.length === 0 || bytes.length > this.sendable(channel)) {
      throw new RangeError(
        `${bytes.length} octets where 1 to ${this.sendable(channel)} may be sent`,
      );
    }
    half.credit -= bytes.length;
    this.#events.send(encodeFrameHeader(FRAME_KIND.data, channel, bytes.length), bytes, sent);
  }

  sendEnd(channel: DataChannel): void {
    const half = this.#outgoing(channel);
    if (half.ended) return;
    half.ended = true;
    this.#events.send(encodeFrameHeader(FRAME_KIND.end, channel, 0), null, null);
  }

  /** Allows the other side `bytes` more on a channel that it writes. */
  grant(channel: DataChannel, bytes: number): void {
    const half = this.#half(channel, false);
    if (half.ended || bytes === 0) return;
    half.credit += bytes;
    this.#events.send(encodeCreditFrame(channel, bytes), null, null);
  }

  #half(channel: Channel, outgoing: boolean): Half {
    const writes = WRITES[this.#role].includes(channel as DataChannel);
    if (writes !== outgoing) throw new RangeError(`channel ${channel} goes the other way`);
    return this.#halves[channel]!;
  }

  #outgoing(channel: Channel): Half {
    return this.#half(channel, true);
  }

  /** The half that the other side writes, checked because the other side chose the channel. */
  #incoming(channel: Channel): Half {
    const half = this.#halves[channel]!;
    if (WRITES[this.#role].includes(channel as DataChannel)) {
      throw violation(`data on channel ${CHANNEL_NAMES[channel]}, which goes the other way`);
    }
    if (half.ended) throw violation(`more on channel ${CHANNEL_NAMES[channel]} after its end`);
    return half;
  }

  #spend(half: Half, channel: Channel, length: number): void {
    half.credit -= length;
    if (half.credit >= 0) return;
    throw new DonjonError(
      "session/limit",
      `the other side sent ${-half.credit} octets more on channel ${CHANNEL_NAMES[channel]} than it was allowed`,
    );
  }

  #takeCredit(channel: Channel, bytes: number): void {
    if (!WRITES[this.#role].includes(channel as DataChannel)) {
      throw violation(`credit for channel ${CHANNEL_NAMES[channel]}, which goes the other way`);
    }
    const half = this.#halves[channel]!;
    if (bytes === 0) throw violation("a credit of 0 octets, wanted at least 1");
    half.credit += bytes;
    if (half.credit > MAX_CREDIT) {
      throw new DonjonError(
        "session/limit",
        `the other side allows ${half.credit} octets on channel ${CHANNEL_NAMES[channel]}; at most ${MAX_CREDIT} may be open`,
      );
    }
    if (!half.ended) this.#events.onCredit(channel as DataChannel);
  }
}

function violation(found: string): DonjonError {
  return new DonjonError("session/protocol", `the other side sent ${found}`);
}
