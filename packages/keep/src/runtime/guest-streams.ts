/** Worker side of the streams: rings as the capabilities that WASI is built over. */
import type { MessagePort } from "node:worker_threads";
import { receiveMessageOnPort } from "node:worker_threads";
import {
  type Connection,
  HUNG_UP,
  type InputStream,
  type Listener,
  type OutputStream,
} from "@donjon/wasi/capability/stream";
import { fail, type Outcome, PENDING } from "@donjon/wasi/errno";
import { CONNECTION_RING_BYTES, FROM_WORKLOAD } from "./control.ts";
import type { SharedWords, Signal } from "./doorbell.ts";
import { StreamSignal } from "./gate-bell.ts";
import { ACCEPTED, CLOSED, HANDED, type StreamGrant } from "./messages.ts";
import { RingReader, RingWriter } from "./ring.ts";

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

/** How many of `wanted` bytes may leave; throws to end the workload. */
export type Meter = (wanted: number) => number;

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
    const wanted = Math.min(length, this.#ring.space());
    if (wanted === 0) return PENDING;
    return this.#ring.write(memory, offset, this.#meter === null ? wanted : this.#meter(wanted));
  }

  ready(): number {
    return this.#ring.abandoned || this.#ring.closed ? HUNG_UP : this.#ring.space();
  }

  close(): void {
    this.#ring.close();
  }
}

/** Opens the worker's end of a connection. */
export function openConnection(control: SharedWords, grant: StreamGrant): Connection {
  const signal = new StreamSignal(control, grant.index);
  return {
    input: new RingInput(new RingReader(grant.buffer, 0, CONNECTION_RING_BYTES, signal)),
    output: new RingOutput(
      new RingWriter(grant.buffer, FROM_WORKLOAD, CONNECTION_RING_BYTES, signal),
    ),
  };
}

/** Worker side of `GateListener`: takes what the gate thread has handed over out of the port. */
export class HandedListener implements Listener {
  readonly #control: SharedWords;
  readonly #words: SharedWords;
  readonly #port: MessagePort;
  readonly #gate: Signal;
  #accepted = 0;

  constructor(control: SharedWords, words: SharedWords, port: MessagePort, index: number) {
    this.#control = control;
    this.#words = words;
    this.#port = port;
    this.#gate = new StreamSignal(control, index);
  }

  accept(): Connection | Outcome {
    if (this.ready() <= 0) return PENDING;
    const received = receiveMessageOnPort(this.#port) as { message: StreamGrant } | undefined;
    if (received === undefined) return PENDING;
    this.#accepted = (this.#accepted + 1) | 0;
    Atomics.store(this.#words, ACCEPTED, this.#accepted);
    this.#gate.ring();
    return openConnection(this.#control, received.message);
  }

  ready(): number {
    return (Atomics.load(this.#words, HANDED) - this.#accepted) | 0;
  }

  close(): void {
    if (Atomics.exchange(this.#words, CLOSED, 1) === 0) this.#gate.ring();
  }
}
