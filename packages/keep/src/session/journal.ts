/**
 * What a detached workload wrote last, in order, for who attaches. It is bounded, and the oldest is dropped: a workload
 * never waits for readers.
 */
import { concatBytes } from "@donjon/core/bytes";
import { JOURNAL_BYTES, JOURNAL_FOLLOWED_BYTES } from "@donjon/protocol/limits";
import type { DataChannel } from "@donjon/protocol/session/peer";

export interface JournalEntry {
  readonly channel: DataChannel;
  readonly bytes: Uint8Array;
}

/** What an entry costs besides its bytes. */
const ENTRY_BYTES = 256;
/** Writes are joined up to this size. */
const JOINED_BYTES = 4096;

/** Reads a journal in order. */
export interface JournalReader {
  /** Number of the next entry to be read. */
  next: number;
  onGrown(): void;
}

export class Journal {
  readonly #entries: JournalEntry[] = [];
  readonly #readers = new Set<JournalReader>();
  /** Number of the first entry that is held. */
  #first = 0;
  #held = 0;
  #lost = 0;
  #ended = false;

  /** Octets that were dropped so far. */
  get lost(): number {
    return this.#lost;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** `bytes` becomes the journal's own. */
  append(channel: DataChannel, bytes: Uint8Array): void {
    const last = this.#entries.at(-1);
    const joined = (last?.bytes.length ?? 0) + bytes.length;
    // Nobody is in the middle of it: small writes share an entry.
    if (last?.channel === channel && joined <= JOINED_BYTES && this.#readers.size === 0) {
      this.#entries[this.#entries.length - 1] = { channel, bytes: concatBytes(last.bytes, bytes) };
      this.#held += bytes.length;
    } else {
      this.#entries.push({ channel, bytes });
      this.#held += bytes.length + ENTRY_BYTES;
    }
    this.#trim();
    this.#tell();
  }

  end(): void {
    this.#ended = true;
    this.#tell();
  }

  /** From the oldest entry that is held. */
  open(onGrown: () => void): JournalReader {
    const reader = { next: this.#first, onGrown };
    this.#readers.add(reader);
    return reader;
  }

  close(reader: JournalReader): void {
    this.#readers.delete(reader);
    this.#trim();
  }

  /** The entry at the reader, `null` when there is none yet, `undefined` when it was dropped. */
  at(reader: JournalReader): JournalEntry | null | undefined {
    if (reader.next < this.#first) return undefined;
    return this.#entries[reader.next - this.#first] ?? null;
  }

  /** What somebody is still about to read is held for longer. */
  #trim(): void {
    let wanted = Number.POSITIVE_INFINITY;
    for (const { next } of this.#readers) wanted = Math.min(wanted, next);
    for (;;) {
      const limit = this.#first < wanted ? JOURNAL_BYTES : JOURNAL_FOLLOWED_BYTES;
      if (this.#held <= limit) return;
      const { bytes } = this.#entries.shift()!;
      this.#first += 1;
      this.#held -= bytes.length + ENTRY_BYTES;
      this.#lost += bytes.length;
    }
  }

  #tell(): void {
    for (const { onGrown } of [...this.#readers]) onGrown();
  }
}
