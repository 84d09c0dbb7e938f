/** Markers, and every form in which bytes might show one. */
import { randomInt } from "node:crypto";

const LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789";
const CORE_LENGTH = 24;
const PIECE_LENGTH = 8;

/** Text that nothing else in the world holds. All markers of a family have one core, so that one search finds any of them. */
export function createCore(): string {
  return Array.from({ length: CORE_LENGTH }, () => LETTERS[randomInt(LETTERS.length)]).join("");
}

/** As it is and in pieces, backwards, and as hex, base64 and UTF-16. */
export function createNeedles(core: string): readonly Buffer[] {
  const plain = Buffer.from(core);
  const pieces = Array.from({ length: CORE_LENGTH / PIECE_LENGTH }, (_, index) =>
    plain.subarray(index * PIECE_LENGTH, (index + 1) * PIECE_LENGTH),
  );
  const backwards = pieces.map((piece) => Buffer.from(piece).reverse());
  const hex = plain.toString("hex");
  // Whatever comes before shifts base64 by 0, 1 or 2 octets; the edges depend on the neighbours.
  const base64 = [0, 1, 2].map((shift) =>
    Buffer.concat([Buffer.alloc(shift), plain])
      .toString("base64")
      .slice(4, -4),
  );
  const texts = [hex, hex.toUpperCase(), ...base64].map((text) => Buffer.from(text));
  return [...pieces, ...backwards, ...texts, Buffer.from(core, "utf16le")];
}

export const LONGEST_NEEDLE = 2 * CORE_LENGTH;

export function holds(bytes: Buffer, needles: readonly Buffer[]): boolean {
  return needles.some((needle) => bytes.includes(needle));
}
