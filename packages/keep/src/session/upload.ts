/** Receives what a `provision` message announced, part after part (protocol README, session). */
import { DonjonError } from "@donjon/core/errors";
import { INITIAL_CREDIT } from "@donjon/protocol/limits";

/** Credit is given back in steps of this many octets. */
const CREDIT_STEP = INITIAL_CREDIT / 4;

export class Upload {
  readonly #sizes: readonly number[];
  readonly #onPart: (index: number, bytes: Uint8Array) => void;
  readonly #grant: (bytes: number) => void;
  #index = 0;
  #part: Uint8Array | null = null;
  #fill = 0;
  #owed = 0;

  /** `onPart` gets each part as soon as it is whole and may throw to end the upload. */
  constructor(
    sizes: readonly number[],
    onPart: (index: number, bytes: Uint8Array) => void,
    grant: (bytes: number) => void,
  ) {
    this.#sizes = sizes;
    this.#onPart = onPart;
    this.#grant = grant;
  }

  add(piece: Uint8Array): void {
    let rest = piece;
    while (rest.length > 0) {
      this.#takeEmptyParts();
      const size = this.#sizes[this.#index];
      if (size === undefined) throw wrongLength("more octets than");
      // Allocated when it begins, so that a size alone costs nothing.
      this.#part ??= new Uint8Array(size);
      const count = Math.min(rest.length, size - this.#fill);
      this.#part.set(rest.subarray(0, count), this.#fill);
      this.#fill += count;
      rest = rest.subarray(count);
      if (this.#fill === size) this.#finishPart(this.#part);
    }
    this.#owed += piece.length;
    if (this.#owed < CREDIT_STEP) return;
    this.#grant(this.#owed);
    this.#owed = 0;
  }

  end(): void {
    this.#takeEmptyParts();
    if (this.#index < this.#sizes.length) throw wrongLength("fewer octets than");
  }

  #takeEmptyParts(): void {
    while (this.#sizes[this.#index] === 0) this.#finishPart(new Uint8Array(0));
  }

  #finishPart(part: Uint8Array): void {
    this.#part = null;
    this.#fill = 0;
    this.#index += 1;
    this.#onPart(this.#index - 1, part);
  }
}

function wrongLength(found: string): DonjonError {
  return new DonjonError(
    "session/protocol",
    `the upload carries ${found} its provision message announced`,
  );
}
