/** Gate side of the streams: rings as the session sees them, and connections pumped through rings. */
import type { Duplex } from "node:stream";
import { readAtOnce } from "@donjon/protocol/gate/duplex";
import { CONNECTION_RING_BYTES, FROM_WORKLOAD, WORKER_BELL } from "./control.ts";
import { Doorbell, type SharedWords, TurnSignal } from "./doorbell.ts";
import type { GateBell } from "./gate-bell.ts";
import type { StreamGrant } from "./messages.ts";
import { RingReader, RingWriter, ringBytes } from "./ring.ts";
import type { ByteSink, ByteSource } from "./workload.ts";

export class RingSource implements ByteSource {
  onReadable: (() => void) | null = null;
  readonly grant: StreamGrant;
  readonly #ring: RingReader;

  constructor(bell: GateBell, words: SharedWords, capacity: number) {
    const buffer = new SharedArrayBuffer(ringBytes(capacity));
    this.#ring = new RingReader(buffer, 0, capacity, new Doorbell(words, WORKER_BELL));
    this.grant = { buffer, index: bell.add(() => this.onReadable?.()) };
  }

  read(skip = 0): Uint8Array | null | undefined {
    const bytes = this.#ring.view(skip);
    if (bytes.length > 0) return bytes;
    if (!this.#ring.ended) return null;
    return undefined;
  }

  consume(count: number): void {
    // A worker that has turned bad may have set its counter back since these bytes were read.
    this.#ring.consume(Math.min(count, this.#ring.available()));
  }

  /** The workload is over; what it wrote can still be read. */
  finish(): void {
    this.#ring.loseWriter();
    this.onReadable?.();
  }
}

export class RingSink implements ByteSink {
  onWritable: (() => void) | null = null;
  readonly grant: StreamGrant;
  readonly #ring: RingWriter;

  constructor(bell: GateBell, words: SharedWords, capacity: number) {
    const buffer = new SharedArrayBuffer(ringBytes(capacity));
    const worker = new TurnSignal(new Doorbell(words, WORKER_BELL));
    this.#ring = new RingWriter(buffer, 0, capacity, worker);
    this.grant = { buffer, index: bell.add(() => this.onWritable?.()) };
  }

  write(bytes: Uint8Array): number {
    // What nobody will read is taken and dropped, as a pipe to a finished program is drained.
    if (this.#ring.abandoned) return bytes.length;
    return this.#ring.write(bytes, 0, bytes.length);
  }

  end(): void {
    this.#ring.close();
  }

  /** The workload is over. */
  finish(): void {
    this.#ring.loseReader();
    this.onWritable?.();
  }
}

/**
 * Pumps one connection between a `Duplex` and a pair of rings. Neither side is buffered beyond its
 * ring: a full ring pauses the stream, a slow stream leaves bytes in the ring.
 */
export class ConnectionPump {
  readonly grant: StreamGrant;
  readonly #bell: GateBell;
  readonly #stream: Duplex;
  readonly #toWorkload: RingWriter;
  readonly #fromWorkload: RingReader;
  readonly #closed: () => void;
  #rest: Uint8Array | null = null;
  #ended = false;
  #draining = false;

  /** `closed` is called once, when both directions are over. */
  constructor(stream: Duplex, bell: GateBell, words: SharedWords, closed: () => void) {
    const buffer = new SharedArrayBuffer(2 * ringBytes(CONNECTION_RING_BYTES));
    const worker = new Doorbell(words, WORKER_BELL);
    this.#bell = bell;
    this.#stream = stream;
    this.#closed = closed;
    this.#toWorkload = new RingWriter(buffer, 0, CONNECTION_RING_BYTES, new TurnSignal(worker));
    this.#fromWorkload = new RingReader(buffer, FROM_WORKLOAD, CONNECTION_RING_BYTES, worker);
    this.grant = { buffer, index: bell.add(() => this.#turn()) };
    readAtOnce(stream);
    stream.on("data", (chunk: Uint8Array) => {
      this.#receive(chunk);
      if (this.#rest !== null) this.#rest = new Uint8Array(this.#rest);
    });
    stream.on("end", () => this.#endInput());
    stream.on("drain", () => {
      this.#draining = false;
      this.#send();
    });
    stream.on("finish", () => this.#letGo());
    stream.on("error", () => {});
    stream.on("close", () => this.#close());
    // It has told its close already: the workload is to see an end all the same.
    if (stream.closed) setImmediate(() => this.#close());
  }

  /** The workload is over; what it wrote is still sent. */
  finish(): void {
    this.#toWorkload.loseReader();
    this.#fromWorkload.loseWriter();
    this.#rest = null;
    this.#stream.resume();
    this.#turn();
  }

  #turn(): void {
    if (this.#rest !== null) {
      const rest = this.#rest;
      this.#rest = null;
      this.#receive(rest);
      if (this.#rest === null) {
        if (this.#ended) this.#toWorkload.close();
        else this.#stream.resume();
      }
    }
    this.#send();
    this.#letGo();
  }

  /** The workload has closed both directions: a peer that goes on sending holds nothing here. */
  #letGo(): void {
    if (this.#toWorkload.abandoned && this.#stream.writableFinished) this.#stream.destroy();
  }

  #receive(chunk: Uint8Array): void {
    // Read on when the workload has shut its input down, so that the end of the stream is seen.
    if (this.#toWorkload.abandoned) return;
    const count = this.#toWorkload.write(chunk, 0, chunk.length);
    if (count === chunk.length) return;
    this.#rest = chunk.subarray(count);
    this.#stream.pause();
  }

  #endInput(): void {
    this.#ended = true;
    if (this.#rest === null) this.#toWorkload.close();
  }

  #send(): void {
    while (!this.#draining && !this.#stream.writableEnded) {
      const bytes = this.#fromWorkload.view();
      if (bytes.length === 0) {
        if (this.#fromWorkload.ended) this.#stream.end();
        return;
      }
      // A copy: the stream keeps what it is given until it is sent, the ring does not.
      this.#draining = !this.#stream.write(Buffer.copyBytesFrom(bytes));
      this.#fromWorkload.consume(bytes.length);
    }
  }

  #close(): void {
    this.#rest = null;
    this.#toWorkload.close();
    this.#fromWorkload.close();
    this.#bell.remove(this.grant.index);
    this.#closed();
  }
}
