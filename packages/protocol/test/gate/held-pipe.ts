/** What the tests of streams share: a pipe that is the test's own, and whether memory was given back. */
import { Duplex } from "node:stream";
import { encodeMuxFrame, encodeU32, MUX_KIND } from "../../src/gate/mux-frame.ts";

export const PREFACE = encodeMuxFrame(MUX_KIND.preface, 0, encodeU32(1));

/** A pipe that takes all and passes nothing on before it is told to. Its other end is the test. */
export class HeldPipe extends Duplex {
  readonly #held: { readonly bytes: Uint8Array; readonly done: (error?: Error) => void }[] = [];
  readonly passed: Uint8Array[] = [];

  constructor() {
    super({ writableHighWaterMark: 1 << 30 });
    this.on("error", () => {});
  }

  override _read(): void {}

  override _write(bytes: Uint8Array, _encoding: string, done: (error?: Error) => void): void {
    this.#held.push({ bytes, done });
  }

  /** Passes on up to `limit` chunks as they are at this moment; 1 GiB of them is all there are. */
  pass(limit = 1 << 30): void {
    for (let count = 0; count < limit; count++) {
      const head = this.#held.shift();
      if (head === undefined) return;
      this.passed.push(Uint8Array.from(head.bytes));
      head.done();
    }
  }

  break(): void {
    this.#held.shift()?.done(new Error("broken pipe"));
  }

  /** What the frames of data carried, of all that was passed on. */
  get data(): Buffer {
    const wire = Buffer.concat(this.passed);
    const pieces: Uint8Array[] = [];
    for (let at = 0; at + 12 <= wire.length; ) {
      const length = wire.readUInt32BE(at + 8);
      if (wire[at] === MUX_KIND.data) pieces.push(wire.subarray(at + 12, at + 12 + length));
      at += 12 + length;
    }
    return Buffer.concat(pieces);
  }
}

export const turn = () => new Promise((resolve) => setImmediate(resolve));

export function isReleased(bytes: Uint8Array): boolean {
  return (bytes.buffer as ArrayBuffer).detached;
}
