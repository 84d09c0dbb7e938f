/** Bytes on their way into a channel: goes on as far as the credit reaches. */
import type { DataChannel } from "./peer.ts";

/** The part of a session peer that a writer needs. */
export interface ChannelSender {
  sendable(channel: DataChannel): number;
  sendData(channel: DataChannel, bytes: Uint8Array, sent: (() => void) | null): void;
  sendEnd(channel: DataChannel): void;
}

export class ChannelWriter {
  readonly #peer: ChannelSender;
  readonly #channel: DataChannel;
  readonly #queue: {
    bytes: Uint8Array;
    readonly done: (() => void) | null;
    readonly passed: (() => void) | null;
  }[] = [];
  #ending = false;
  #sent = 0;

  constructor(peer: ChannelSender, channel: DataChannel) {
    this.#peer = peer;
    this.#channel = channel;
  }

  /** Octets handed to the stream so far. */
  get sent(): number {
    return this.#sent;
  }

  /**
   * `done` is called when all of `bytes` has been handed to the stream; `passed`, when the stream has passed them on and they may
   * change, but maybe never if the stream is lost. Of no bytes only `done` is told.
   */
  write(bytes: Uint8Array, done: (() => void) | null, passed: (() => void) | null = null): void {
    this.#queue.push({ bytes, done, passed });
    if (this.#queue.length === 1) this.flush();
  }

  end(): void {
    this.#ending = true;
    this.flush();
  }

  /** Sends what the credit allows; to be called when credit comes. */
  flush(): void {
    for (let head = this.#queue[0]; head !== undefined; head = this.#queue[0]) {
      const room = this.#peer.sendable(this.#channel);
      if (head.bytes.length > 0 && room === 0) return;
      const count = Math.min(room, head.bytes.length);
      const isLast = count === head.bytes.length;
      if (count > 0) {
        this.#peer.sendData(
          this.#channel,
          head.bytes.subarray(0, count),
          isLast ? head.passed : null,
        );
      }
      this.#sent += count;
      head.bytes = head.bytes.subarray(count);
      if (head.bytes.length > 0) continue;
      this.#queue.shift();
      head.done?.();
    }
    if (this.#ending) this.#peer.sendEnd(this.#channel);
  }

  /** Forgets what was not sent. */
  abandon(): void {
    for (const { done } of this.#queue.splice(0)) done?.();
  }
}
