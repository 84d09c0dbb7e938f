/** Worker side of the streams: rings as the capabilities that WASI is built over. */
import type {
  Connection,
  InputStream,
  Listener,
  OutputStream,
} from "@donjon/wasi/capability/stream";
import { HUNG_UP } from "@donjon/wasi/capability/stream";
import { fail, type Outcome, PENDING } from "@donjon/wasi/errno";
import type { RingReader, RingWriter } from "./ring.ts";

export class RingInput implements InputStream {
  readonly #ring: RingReader;

  constructor(ring: RingReader) {
    this.#ring = ring;
  }

  read(memory: Uint8Array, offset: number, length: number): Outcome {
    const count = this.#ring.read(memory, offset, length);
    return count > 0 || length === 0 || this.#ring.ended ? count : PENDING;
  }

  peek(memory: Uint8Array, offset: number, length: number): Outcome {
    const count = this.#ring.peek(memory, offset, length);
    return count > 0 || length === 0 || this.#ring.ended ? count : PENDING;
  }

  ready(): number {
    const count = this.#ring.available();
    return count > 0 ? count : this.#ring.ended ? HUNG_UP : 0;
  }

  close(): void {
    this.#ring.close();
  }
}

/** Called before bytes leave; throws to end the workload. */
export type Meter = (bytes: number) => void;

export class RingOutput implements OutputStream {
  readonly #ring: RingWriter;
  readonly #meter: Meter | null;

  constructor(ring: RingWriter, meter: Meter | null = null) {
    this.#ring = ring;
    this.#meter = meter;
  }

  write(memory: Uint8Array, offset: number, length: number): Outcome {
    if (this.#ring.abandoned || this.#ring.closed) return fail("pipe");
    if (length === 0) return 0;
    const count = this.#ring.write(memory, offset, length);
    if (count === 0) return PENDING;
    this.#meter?.(count);
    return count;
  }

  ready(): number {
    return this.#ring.abandoned || this.#ring.closed ? HUNG_UP : this.#ring.space();
  }

  close(): void {
    this.#ring.close();
  }
}

/** Nothing to read; takes everything. */
export const NULL_INPUT: InputStream = {
  read: () => 0,
  peek: () => 0,
  ready: () => HUNG_UP,
  close: () => {},
};

export const NULL_OUTPUT: OutputStream = {
  write: (_memory, _offset, length) => length,
  ready: () => 65_536,
  close: () => {},
};

/**
 * A listener. The gate thread hands connections over ahead of time, a few per listener, and counts
 * them in `handed`; `receive` takes the next one out of the port that carries them.
 */
export class HandedListener implements Listener {
  readonly #handed: () => number;
  readonly #receive: () => Connection | null;
  readonly #taken: () => void;
  readonly #closing: () => void;
  #accepted = 0;
  #closed = false;

  constructor(
    handed: () => number,
    receive: () => Connection | null,
    taken: () => void,
    closing: () => void,
  ) {
    this.#handed = handed;
    this.#receive = receive;
    this.#taken = taken;
    this.#closing = closing;
  }

  accept(): Connection | Outcome {
    if (this.#closed) return fail("badf");
    if (this.ready() === 0) return PENDING;
    const connection = this.#receive();
    if (connection === null) return PENDING;
    this.#accepted = (this.#accepted + 1) | 0;
    this.#taken();
    return connection;
  }

  ready(): number {
    return (this.#handed() - this.#accepted) | 0;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#closing();
  }
}
