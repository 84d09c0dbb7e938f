/**
 * A strict reader for DER: definite lengths in their shortest form, one-byte tags, bounded depth
 * and size, nothing left over. It reads what the caller asks for, in order, and never guesses.
 *
 * Source: ITU-T X.690 (02/2021) sections 8, 10 and 11. BER is never accepted: two encodings of one
 * certificate would be two keys of a cache and two subjects of a revocation list.
 */
import { DonjonError } from "./errors.ts";
import { parseOid } from "./oid.ts";

/** Tags as they stand on the wire: class, constructed bit and number in one byte. */
export const DER_TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/** The tag `[number]`, constructed (EXPLICIT, or IMPLICIT over a constructed type). */
export function contextTag(number: number): number {
  return 0xa0 | number;
}

/** Deepest nesting of constructed values; an X.509 name inside a CRL extension needs 10. */
export const MAX_DER_DEPTH = 24;

/** One value: its tag, its whole encoding, and the contents without tag and length. */
export interface DerElement {
  readonly tag: number;
  readonly encoding: Uint8Array;
  readonly contents: Uint8Array;
}

/** Reads the values inside one byte range, in order. Every failure is a `bytes/*` DonjonError. */
export class DerReader {
  readonly #bytes: Uint8Array;
  readonly #depth: number;
  #offset = 0;

  constructor(bytes: Uint8Array, depth = 0) {
    if (depth > MAX_DER_DEPTH) {
      throw new DonjonError("bytes/limit", `DER nests deeper than ${MAX_DER_DEPTH} levels`);
    }
    this.#bytes = bytes;
    this.#depth = depth;
  }

  get done(): boolean {
    return this.#offset === this.#bytes.length;
  }

  /** The tag of the next value, or `undefined` at the end. */
  peekTag(): number | undefined {
    return this.#bytes[this.#offset];
  }

  /** Reads the next value whatever its tag. */
  readAny(what: string): DerElement {
    const bytes = this.#bytes;
    const start = this.#offset;
    const tag = bytes[start];
    if (tag === undefined) throw truncated(what);
    if ((tag & 0x1f) === 0x1f) throw invalid(what, "has a tag of more than one byte");
    const { length, size } = this.#readLength(start + 1, what);
    const from = start + 1 + size;
    const end = from + length;
    if (end > bytes.length) throw truncated(what);
    this.#offset = end;
    return { tag, encoding: bytes.subarray(start, end), contents: bytes.subarray(from, end) };
  }

  /** Reads the next value, which must have this tag. */
  read(tag: number, what: string): DerElement {
    const found = this.peekTag();
    if (found !== undefined && found !== tag) {
      throw invalid(what, `has tag ${hex(found)}, wanted ${hex(tag)}`);
    }
    return this.readAny(what);
  }

  /** Reads the next value when it has this tag, else leaves it. */
  readOptional(tag: number, what: string): DerElement | undefined {
    return this.peekTag() === tag ? this.readAny(what) : undefined;
  }

  /** Steps into a constructed value. */
  enter(tag: number, what: string): DerReader {
    return new DerReader(this.read(tag, what).contents, this.#depth + 1);
  }

  /** Steps into a constructed value when it has this tag. */
  enterOptional(tag: number, what: string): DerReader | undefined {
    return this.peekTag() === tag ? this.enter(tag, what) : undefined;
  }

  /** Refuses anything left over in this range. */
  end(what: string): void {
    if (this.done) return;
    const count = this.#bytes.length - this.#offset;
    throw new DonjonError("bytes/trailing", `${what} has ${count} bytes after its last field`);
  }

  readBoolean(what: string): boolean {
    const { contents } = this.read(DER_TAG.boolean, what);
    const value = contents[0];
    if (contents.length !== 1 || (value !== 0 && value !== 0xff)) {
      throw invalid(what, "is not the DER form of TRUE or FALSE");
    }
    return value === 0xff;
  }

  /** The two's complement bytes of an INTEGER, in their shortest form, big-endian. */
  readInteger(what: string): Uint8Array {
    return shortestInteger(this.read(DER_TAG.integer, what).contents, what);
  }

  /** An INTEGER (or ENUMERATED, by `tag`) from 0 to 2^31-1. */
  readNumber(what: string, tag: number = DER_TAG.integer): number {
    const contents = shortestInteger(this.read(tag, what).contents, what);
    if (contents[0]! >= 0x80 || contents.length > 4) {
      throw invalid(what, "is outside 0 to 2^31-1");
    }
    return contents.reduce((sum, byte) => sum * 256 + byte, 0);
  }

  readOid(what: string): string {
    return parseOid(this.read(DER_TAG.oid, what).contents);
  }

  readOctetString(what: string): Uint8Array {
    return this.read(DER_TAG.octetString, what).contents;
  }

  /** A BIT STRING that holds whole bytes: a key or a signature. */
  readBitString(what: string): Uint8Array {
    const { contents } = this.read(DER_TAG.bitString, what);
    if (contents[0] !== 0) throw invalid(what, "is not a whole number of bytes");
    return contents.subarray(1);
  }

  /** UTCTime or GeneralizedTime in the form of RFC 5280 section 4.1.2.5; milliseconds since 1970. */
  readTime(what: string): number {
    const { tag, contents } = this.readAny(what);
    if (tag !== DER_TAG.utcTime && tag !== DER_TAG.generalizedTime) {
      throw invalid(what, `has tag ${hex(tag)}, wanted UTCTime or GeneralizedTime`);
    }
    return parseTime(String.fromCharCode(...contents.subarray(0, 16)), tag, what);
  }

  #readLength(at: number, what: string): { length: number; size: number } {
    const first = this.#bytes[at];
    if (first === undefined) throw truncated(what);
    if (first < 0x80) return { length: first, size: 1 };
    const count = first & 0x7f;
    if (count === 0) throw invalid(what, "has an indefinite length");
    if (count > 4)
      throw new DonjonError("bytes/limit", `${what} states a length of ${count} bytes`);
    let length = 0;
    for (let index = 1; index <= count; index += 1) {
      const byte = this.#bytes[at + index];
      if (byte === undefined) throw truncated(what);
      length = length * 256 + byte;
    }
    if (length < 0x80 || length < 256 ** (count - 1)) {
      throw invalid(what, "has a length that is not in its shortest form");
    }
    return { length, size: 1 + count };
  }
}

/**
 * Steps into the one value that `bytes` must be: its tag, nothing after it, at most `maxBytes`.
 */
export function openDer(bytes: Uint8Array, tag: number, what: string, maxBytes: number): DerReader {
  if (bytes.length > maxBytes) {
    throw new DonjonError("bytes/limit", `${what} has ${bytes.length} bytes, limit ${maxBytes}`);
  }
  const outer = new DerReader(bytes);
  const inner = outer.enter(tag, what);
  outer.end(what);
  return inner;
}

function shortestInteger(contents: Uint8Array, what: string): Uint8Array {
  const [first, second] = contents;
  if (first === undefined) throw invalid(what, "is an INTEGER without bytes");
  if (second !== undefined && (first === 0 ? second < 0x80 : first === 0xff && second >= 0x80)) {
    throw invalid(what, "is an INTEGER that is not in its shortest form");
  }
  return contents;
}

const UTC_TIME = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;
const GENERALIZED_TIME = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;

function parseTime(text: string, tag: number, what: string): number {
  const match = (tag === DER_TAG.utcTime ? UTC_TIME : GENERALIZED_TIME).exec(text);
  if (match === null) throw invalid(what, `is '${text}', wanted digits and 'Z' to the second`);
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  // RFC 5280 section 4.1.2.5.1: two-digit years from 50 on are in the twentieth century.
  const fullYear = tag === DER_TAG.utcTime ? year + (year >= 50 ? 1900 : 2000) : year;
  const timeMs = Date.UTC(fullYear, month - 1, day, hour, minute, second);
  const back = new Date(timeMs);
  if (back.getUTCMonth() !== month - 1 || back.getUTCDate() !== day || hour > 23 || minute > 59) {
    throw invalid(what, `is '${text}', which is no date`);
  }
  if (second > 59) throw invalid(what, `is '${text}', which is no time`);
  return timeMs;
}

function hex(tag: number): string {
  return `0x${tag.toString(16).padStart(2, "0")}`;
}

function truncated(what: string): DonjonError {
  return new DonjonError("bytes/truncated", `DER ends inside ${what}`);
}

function invalid(what: string, why: string): DonjonError {
  return new DonjonError("bytes/invalid", `DER of ${what} ${why}`);
}
