/** Moves bytes between the session's channels and the workload's streams. */
import { INITIAL_CREDIT } from "@donjon/protocol/limits";
import { CHANNEL } from "@donjon/protocol/session/frame";
import type { KeepPeer } from "@donjon/protocol/session/keep-peer";
import type { DataChannel } from "@donjon/protocol/session/peer";
import type { ByteSink, ByteSource } from "../runtime/workload.ts";
import type { Journal, JournalEntry, JournalReader } from "./journal.ts";

/** Credit is given back in steps of this many octets, so that it costs few frames. */
const CREDIT_STEP = INITIAL_CREDIT / 4;

/** Octets of one frame of output: TLS works on one piece while the next is fetched. */
const PIECE_BYTES = 256 << 10;

/** From the workload to the client. A slow client leaves the ring full, and that is what slows the workload. */
export class OutputPump {
  readonly #source: ByteSource;
  readonly #peer: KeepPeer;
  readonly #channel: DataChannel;
  readonly #ended = Promise.withResolvers<void>();
  /** Octets on their way; they lie in the ring, whose size bounds them. */
  #inFlight = 0;

  constructor(source: ByteSource, peer: KeepPeer, channel: DataChannel) {
    this.#source = source;
    this.#peer = peer;
    this.#channel = channel;
    source.onReadable = () => this.flush();
    this.flush();
  }

  /** Resolves when the workload's stream has ended and all of it was sent. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** To be called when credit comes. */
  flush(): void {
    for (;;) {
      const room = this.#peer.sendable(this.#channel);
      const bytes = room === 0 ? null : this.#source.read(this.#inFlight);
      if (bytes === null) return;
      if (bytes === undefined) {
        this.#peer.sendEnd(this.#channel);
        this.#ended.resolve();
        return;
      }
      // Not copied: what is under way stays in the ring until the stream has passed it on.
      const piece = bytes.subarray(0, Math.min(room, PIECE_BYTES));
      this.#inFlight += piece.length;
      this.#peer.sendData(this.#channel, piece, () => {
        this.#inFlight -= piece.length;
        this.#source.consume(piece.length);
        this.flush();
      });
    }
  }
}

/** From a detached workload's journal to the client, from the oldest entry on and in order. */
export class JournalPump {
  readonly #journal: Journal;
  readonly #peer: KeepPeer;
  readonly #reader: JournalReader;
  readonly #onBehind: () => void;
  readonly #ended = Promise.withResolvers<void>();
  #sending = false;
  /** Octets of the current entry that were sent. */
  #sent = 0;

  /** `onBehind` is called when the journal dropped what was to be sent next: the client reads too slowly. */
  constructor(journal: Journal, peer: KeepPeer, onBehind: () => void) {
    this.#journal = journal;
    this.#peer = peer;
    this.#onBehind = onBehind;
    this.#reader = journal.open(() => this.flush());
  }

  /** Resolves when the workload's output has ended and all of it was sent. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  flush(): void {
    if (this.#sending) return;
    const entry = this.#journal.at(this.#reader);
    if (entry === undefined) this.#onBehind();
    else if (entry !== null) this.#send(entry);
    else if (this.#journal.ended) {
      this.#peer.sendEnd(CHANNEL.stdout);
      this.#peer.sendEnd(CHANNEL.stderr);
      this.#ended.resolve();
    }
  }

  close(): void {
    this.#journal.close(this.#reader);
  }

  #send({ channel, bytes }: JournalEntry): void {
    const left = bytes.length - this.#sent;
    const count = Math.min(left, this.#peer.sendable(channel));
    if (count === 0) return;
    this.#sending = true;
    this.#peer.sendData(channel, bytes.subarray(this.#sent, this.#sent + count), () => {
      this.#sending = false;
      this.#sent += count;
      if (count === left) {
        this.#sent = 0;
        this.#reader.next += 1;
      }
      this.flush();
    });
  }
}

/** From the client to the workload. What the workload has no room for waits here, bounded by the credit. */
export class InputPump {
  readonly #sink: ByteSink;
  /** Allows the session that writes so many octets more. */
  grant: (bytes: number) => void = () => {};
  readonly #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #owed = 0;
  #ending = false;

  constructor(sink: ByteSink) {
    this.#sink = sink;
    sink.onWritable = () => this.#drain();
  }

  /** Whether as much waits as one session may send ahead. */
  get full(): boolean {
    return this.#waitingBytes >= INITIAL_CREDIT;
  }

  /** `piece` may change when this has returned. */
  add(piece: Uint8Array): void {
    // An earlier session of a detached run has ended it: what comes later is taken and dropped.
    if (this.#ending) {
      this.grant(piece.length);
      return;
    }
    this.#waiting.push(piece);
    this.#waitingBytes += piece.length;
    if (this.#waiting.length === 1) this.#drain();
    const left = this.#waiting.pop();
    if (left !== undefined) this.#waiting.push(new Uint8Array(left));
  }

  end(): void {
    this.#ending = true;
    this.#drain();
  }

  #drain(): void {
    let moved = 0;
    for (let head = this.#waiting[0]; head !== undefined; head = this.#waiting[0]) {
      const count = this.#sink.write(head);
      moved += count;
      if (count < head.length) {
        this.#waiting[0] = head.subarray(count);
        break;
      }
      this.#waiting.shift();
    }
    this.#waitingBytes -= moved;
    this.#owed += moved;
    if (this.#ending && this.#waiting.length === 0) this.#sink.end();
    if (this.#owed < CREDIT_STEP) return;
    this.grant(this.#owed);
    this.#owed = 0;
  }
}
