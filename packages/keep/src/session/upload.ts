/** Receives what a `provision` message announced, part after part (protocol README, session). */
import type { Hash } from "node:crypto";
import { DonjonError } from "@donjon/core/errors";
import { hashSmall, SMALL_BYTES } from "@donjon/core/sha256";
import { INITIAL_CREDIT } from "@donjon/protocol/limits";

/** Credit is given back in steps of this many octets. */
const CREDIT_STEP = INITIAL_CREDIT / 4;

/** Gets a part as soon as it is whole, with its SHA-256 in lower-case hex, and may throw to end the upload. */
export type OnPart = (index: number, bytes: Uint8Array, sha256: string) => void;

export class Upload {
  readonly #sizes: readonly number[];
  readonly #onPart: OnPart;
  readonly #grant: (bytes: number) => void;
  #index = 0;
  #part: Uint8Array | null = null;
  /** Of a large part, which is hashed as it comes. The engine's library takes longer to load than a small one to hash. */
  #hash: Hash | null = null;
  #fill = 0;
  #owed = 0;

  constructor(sizes: readonly number[], onPart: OnPart, grant: (bytes: number) => void) {
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
      if (size > SMALL_BYTES) this.#hash ??= createSha256();
      const taken = rest.subarray(0, size - this.#fill);
      this.#part.set(taken, this.#fill);
      this.#hash?.update(taken);
      this.#fill += taken.length;
      rest = rest.subarray(taken.length);
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
    const sha256 = this.#hash?.digest("hex") ?? hashSmall(part);
    this.#part = null;
    this.#hash = null;
    this.#fill = 0;
    this.#index += 1;
    this.#onPart(this.#index - 1, part, sha256);
  }
}

function createSha256(): Hash {
  return process.getBuiltinModule("node:crypto").createHash("sha256");
}

function wrongLength(found: string): DonjonError {
  return new DonjonError(
    "session/protocol",
    `the upload carries ${found} its provision message announced`,
  );
}
