/**
 * JSON as Intel signs it: objects, arrays, strings, whole numbers. Refuses what other readers resolve differently,
 * because a signature says nothing about how its bytes are read: a key that stands twice, a float, an exponent, a
 * sign, a number beyond 2^53. Keeps the exact text of every object, because signatures are over that text.
 *
 * Source: RFC 8259; a strict subset of it.
 */

import { DonjonError } from "@donjon/core/errors";
import { decodeHex } from "@donjon/core/hex";

/** Largest text in characters; TCB infos take up to 20,000. */
export const MAX_JSON_CHARACTERS = 1_048_576;
/** Deepest nesting; TCB infos take 6. */
const MAX_JSON_DEPTH = 16;

export type JsonValue = string | number | boolean | null | JsonArray | JsonObject;
export type JsonArray = readonly JsonValue[];

const NUMBER = /(?:0|[1-9][0-9]{0,15})(?![0-9.eE])/y;
const WORD = /true|false|null/y;
const SPACE = /[ \t\r\n]*/y;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

/** An object, and typed access to its members; each getter throws `bytes/invalid` naming the member. */
export class JsonObject {
  /** The exact text, from brace to brace. */
  readonly text: string;
  readonly #members: ReadonlyMap<string, JsonValue>;

  constructor(text: string, members: ReadonlyMap<string, JsonValue>) {
    this.text = text;
    this.#members = members;
  }

  has(name: string): boolean {
    return this.#members.has(name);
  }

  /** For formats of our own, which have no unknown members. */
  refuseOthers(...names: readonly string[]): void {
    const other = [...this.#members.keys()].find((name) => !names.includes(name));
    if (other !== undefined) throw invalid(other.slice(0, 64), "there", "no such member");
  }

  /** A whole number from 0 to `max`. */
  integer(name: string, max: number): number {
    const value = this.#members.get(name);
    if (typeof value === "number" && value <= max) return value;
    throw invalid(name, value, `a whole number up to ${max}`);
  }

  string(name: string): string {
    const value = this.#members.get(name);
    if (typeof value === "string") return value;
    throw invalid(name, value, "a string");
  }

  /** Exactly `length` octets in hexadecimal. */
  hex(name: string, length: number): Uint8Array<ArrayBuffer> {
    const value = this.string(name);
    if (value.length !== 2 * length) throw invalid(name, value, `${length} octets in hexadecimal`);
    return decodeHex(value);
  }

  /** A moment in UTC to the second, in milliseconds since 1970. */
  timeMs(name: string): number {
    const value = this.string(name);
    const timeMs = TIME.test(value) ? Date.parse(value) : Number.NaN;
    // Date.parse takes February 30 for March 2.
    const exact =
      !Number.isNaN(timeMs) && new Date(timeMs).toISOString().slice(0, 19) === value.slice(0, 19);
    if (!exact) throw invalid(name, value, "a moment such as 2026-01-31T00:00:00Z");
    return timeMs;
  }

  object(name: string): JsonObject {
    const value = this.#members.get(name);
    if (value instanceof JsonObject) return value;
    throw invalid(name, value, "an object");
  }

  /** The objects of an array. */
  objects(name: string): readonly JsonObject[] {
    return this.#array(name).map((value) => {
      if (value instanceof JsonObject) return value;
      throw invalid(name, value, "objects only");
    });
  }

  /** The strings of an array; none when the member is absent. */
  strings(name: string): readonly string[] {
    if (!this.has(name)) return [];
    return this.#array(name).map((value) => {
      if (typeof value === "string") return value;
      throw invalid(name, value, "strings only");
    });
  }

  #array(name: string): JsonArray {
    const value = this.#members.get(name);
    if (Array.isArray(value)) return value;
    throw invalid(name, value as JsonValue | undefined, "an array");
  }
}

/** Reads a text that must be one object. Throws DonjonError `bytes/invalid` or `bytes/limit`. */
export function parseStrictJson(text: string): JsonObject {
  if (text.length > MAX_JSON_CHARACTERS) {
    throw new DonjonError(
      "bytes/limit",
      `JSON has ${text.length} characters, limit ${MAX_JSON_CHARACTERS}`,
    );
  }
  const reader = new JsonReader(text);
  const value = reader.readValue(0);
  reader.end();
  if (value instanceof JsonObject) return value;
  throw invalid("the text", value, "an object");
}

class JsonReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  readValue(depth: number): JsonValue {
    if (depth > MAX_JSON_DEPTH) {
      throw new DonjonError("bytes/limit", `JSON nests deeper than ${MAX_JSON_DEPTH} levels`);
    }
    this.#match(SPACE);
    switch (this.#text[this.#at]) {
      case "{":
        return this.#readObject(depth);
      case "[":
        return this.#readArray(depth);
      case '"':
        return this.#readString();
      default:
        return this.#readScalar();
    }
  }

  end(): void {
    this.#match(SPACE);
    if (this.#at !== this.#text.length) throw this.#unexpected("the end");
  }

  #readObject(depth: number): JsonObject {
    const start = this.#at;
    const members = new Map<string, JsonValue>();
    this.#at += 1;
    if (!this.#take("}")) {
      do {
        this.#match(SPACE);
        const name = this.#readString();
        if (members.has(name)) {
          throw new DonjonError(
            "bytes/invalid",
            `JSON has the key '${name.slice(0, 64)}' twice in one object`,
          );
        }
        if (!this.#take(":")) throw this.#unexpected("':'");
        members.set(name, this.readValue(depth + 1));
      } while (this.#take(","));
      if (!this.#take("}")) throw this.#unexpected("',' or '}'");
    }
    return new JsonObject(this.#text.slice(start, this.#at), members);
  }

  #readArray(depth: number): JsonValue[] {
    const values: JsonValue[] = [];
    this.#at += 1;
    if (this.#take("]")) return values;
    do values.push(this.readValue(depth + 1));
    while (this.#take(","));
    if (!this.#take("]")) throw this.#unexpected("',' or ']'");
    return values;
  }

  #readString(): string {
    const start = this.#at;
    if (this.#text[start] !== '"') throw this.#unexpected("a string");
    let escaped = false;
    let end = start + 1;
    for (let code = this.#text.charCodeAt(end); code !== 0x22; code = this.#text.charCodeAt(end)) {
      // Also at the end of the text, where there is no code.
      if (!(code >= 0x20)) throw this.#unexpected("a string that ends, without control characters");
      escaped ||= code === 0x5c;
      end += code === 0x5c ? 2 : 1;
    }
    this.#at = end + 1;
    const literal = this.#text.slice(start, this.#at);
    return escaped ? unescapeString(literal) : literal.slice(1, -1);
  }

  #readScalar(): JsonValue {
    const number = this.#match(NUMBER);
    if (number !== undefined) {
      const value = Number(number);
      if (Number.isSafeInteger(value)) return value;
      throw this.#unexpected("a number up to 2^53");
    }
    const word = this.#match(WORD);
    if (word === undefined) throw this.#unexpected("an object, array, string or whole number");
    return word === "null" ? null : word === "true";
  }

  /** Steps over white space and `token`, when that comes next. */
  #take(token: string): boolean {
    this.#match(SPACE);
    if (this.#text[this.#at] !== token) return false;
    this.#at += 1;
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #unexpected(wanted: string): DonjonError {
    const found = JSON.stringify(this.#text.slice(this.#at, this.#at + 16));
    return new DonjonError(
      "bytes/invalid",
      `JSON has ${found} at character ${this.#at}, wanted ${wanted}`,
    );
  }
}

function unescapeString(literal: string): string {
  try {
    return JSON.parse(literal);
  } catch (cause) {
    throw new DonjonError("bytes/invalid", "JSON has a string with an escape that is none", {
      cause,
    });
  }
}

function invalid(name: string, found: JsonValue | undefined, wanted: string): DonjonError {
  const text =
    found === undefined ? "nothing" : typeof found === "object" ? "another kind" : `'${found}'`;
  return new DonjonError(
    "bytes/invalid",
    `JSON '${name}' is ${text.slice(0, 80)}, wanted ${wanted}`,
  );
}
