/** The workload's stdio as streams of the relying party: credits become back-pressure. */
import { Readable, Writable } from "node:stream";
import { DonjonError } from "@donjon/core/errors";
import { INITIAL_CREDIT } from "@donjon/protocol/limits";
import type { ChannelWriter } from "@donjon/protocol/session/channel-writer";

/** Credit is given back in steps of this many octets, so that it costs few frames. */
const CREDIT_STEP = INITIAL_CREDIT / 4;

/** A `Writable` that ends in a channel. After `abandon` it takes and drops everything. */
export class ChannelWritable extends Writable {
  readonly #writer: ChannelWriter;
  #abandoned = false;

  constructor(writer: ChannelWriter) {
    super({ highWaterMark: INITIAL_CREDIT / 4, decodeStrings: true });
    this.#writer = writer;
  }

  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    if (this.#abandoned) done();
    else this.#writer.write(chunk, done);
  }

  override _final(done: () => void): void {
    if (!this.#abandoned) this.#writer.end();
    done();
  }

  /** The workload is over: nobody reads any more. */
  abandon(): void {
    this.#abandoned = true;
    this.#writer.abandon();
  }
}

/** A `Readable` fed by a channel. It gives credit back only for what its reader has asked for. */
export class ChannelReadable extends Readable {
  readonly #grant: (bytes: number) => void;
  #owed = 0;
  #wanted = true;
  #ended = false;

  constructor(grant: (bytes: number) => void) {
    super({ highWaterMark: CREDIT_STEP });
    this.#grant = grant;
  }

  /** Throws `session/protocol` after `end`. */
  deliver(piece: Uint8Array): void {
    if (this.#ended) {
      throw new DonjonError("session/protocol", "the Keep sent output where none may come");
    }
    this.#owed += piece.length;
    // What comes for a stream that was destroyed is dropped, and its credit goes back all the same.
    this.#wanted = this.push(piece) || this.destroyed;
    this.#settle();
  }

  end(): void {
    this.#ended = true;
    this.push(null);
  }

  override _read(): void {
    this.#wanted = true;
    this.#settle();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    // Nobody reads: what still comes is dropped, and must not stop the workload.
    this.#wanted = true;
    this.#settle(1);
    done(error);
  }

  #settle(step = CREDIT_STEP): void {
    if (!this.#wanted || this.#owed < step) return;
    this.#grant(this.#owed);
    this.#owed = 0;
  }
}
