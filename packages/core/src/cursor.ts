import { DonjonError } from "./errors.ts";

export type ByteOrder = "little" | "big";

/**
 * Reads a byte string from front to back and never past its end. Every failure names the thing
 * that was being read, where, how many octets it wanted and how many there were.
 *
 * Views, not copies: what `bytes` returns shares memory with the input.
 */
export class Cursor {
  readonly input: Uint8Array;
  readonly #view: DataView;
  readonly #little: boolean;
  #at = 0;

  constructor(bytes: Uint8Array, order: ByteOrder = "little") {
    this.input = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#little = order === "little";
  }

  /** Octets read so far. */
  get offset(): number {
    return this.#at;
  }

  get remaining(): number {
    return this.input.length - this.#at;
  }

  u8(what: string): number {
    return this.#view.getUint8(this.#take(1, what));
  }

  u16(what: string): number {
    return this.#view.getUint16(this.#take(2, what), this.#little);
  }

  u32(what: string): number {
    return this.#view.getUint32(this.#take(4, what), this.#little);
  }

  u64(what: string): bigint {
    return this.#view.getBigUint64(this.#take(8, what), this.#little);
  }

  /** The next `length` octets, as a view. `length` may come from the input itself. */
  bytes(length: number, what: string): Uint8Array {
    const start = this.#take(length, what);
    return this.input.subarray(start, start + length);
  }

  rest(): Uint8Array {
    return this.bytes(this.remaining, "the rest");
  }

  /** @throws DonjonError `bytes/trailing` when octets are left */
  end(what: string): void {
    if (this.remaining === 0) return;
    throw new DonjonError(
      "bytes/trailing",
      `Cannot accept octets after ${what}: found ${this.remaining} after offset ${this.#at}, wanted none`,
      { details: { offset: this.#at, found: this.remaining } },
    );
  }

  #take(length: number, what: string): number {
    if (!Number.isSafeInteger(length) || length < 0) {
      throw new RangeError(`Cannot read ${length} octets of ${what}`);
    }
    if (length > this.remaining) {
      throw new DonjonError(
        "bytes/truncated",
        `Cannot read ${what} at offset ${this.#at}: found ${this.remaining} octets, wanted ${length}`,
        { details: { offset: this.#at, found: this.remaining, wanted: length } },
      );
    }
    const start = this.#at;
    this.#at += length;
    return start;
  }
}
