/**
 * Finds where in a TOML text a key or value stands. The TOML parser gives positions for syntax errors
 * only; this walks a text that it has accepted, and only when there is an error to report.
 */
import type { TomlPath } from "./fault.ts";

export interface Position {
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 code units. */
  readonly column: number;
}

/** The position of `path`, or of the nearest enclosing table that the text shows. */
export function findPosition(text: string, path: TomlPath, at: "key" | "value"): Position {
  const scanner = new Scanner(text);
  scanner.scanDocument();
  for (let length = path.length; length > 0; length--) {
    const spot = scanner.spots.get(JSON.stringify(path.slice(0, length)));
    if (spot)
      return toPosition(text, at === "value" && length === path.length ? spot.value : spot.key);
  }
  return { line: 1, column: 1 };
}

function toPosition(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf("\n") + 1;
  return { line: before.split("\n").length, column: offset - lineStart + 1 };
}

interface Spot {
  readonly key: number;
  readonly value: number;
}

const BARE_KEY = /[^\s.=\]#"',{}[]+/y;
const BARE_VALUE = /[^,\]}\n#]+/y;
const SPACE = /[ \t]*/y;
const SPACE_AND_COMMENTS = /(?:\s|#[^\n]*)*/y;

class Scanner {
  /** By path as JSON. */
  readonly spots = new Map<string, Spot>();
  private readonly text: string;
  private offset = 0;
  /** Entries so far of each `[[array]]`, by path as JSON. */
  private readonly counts = new Map<string, number>();

  constructor(text: string) {
    this.text = text;
  }

  scanDocument(): void {
    let table: TomlPath = [];
    for (;;) {
      this.skip(SPACE_AND_COMMENTS);
      if (this.offset >= this.text.length) return;
      const start = this.offset;
      if (this.text[start] === "[") table = this.scanHeader();
      else this.scanPair(table);
      // Every branch advances on accepted text; this holds the loop to it on any other.
      if (this.offset === start) return;
    }
  }

  private scanHeader(): TomlPath {
    const repeated = this.text[this.offset + 1] === "[";
    this.offset += repeated ? 2 : 1;
    this.skip(SPACE);
    const start = this.offset;
    const keys = this.scanKeys();
    let path: TomlPath = [];
    keys.forEach((key, index) => {
      path = [...path, key];
      const name = JSON.stringify(path);
      const last = index === keys.length - 1;
      this.note(path, start, start);
      if (last && repeated) this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
      const count = this.counts.get(name);
      if (count !== undefined) {
        path = [...path, count - 1];
        this.note(path, start, start);
      }
    });
    this.skip(SPACE);
    this.offset += repeated ? 2 : 1;
    return path;
  }

  private scanPair(table: TomlPath): void {
    const start = this.offset;
    const path = [...table, ...this.scanKeys()];
    this.skip(SPACE);
    this.offset++; // "="
    this.skip(SPACE);
    const value = this.offset;
    for (let length = table.length + 1; length < path.length; length++) {
      this.note(path.slice(0, length), start, start);
    }
    this.note(path, start, value);
    this.scanValue(path);
  }

  /** A dotted key; stands at the first part. */
  private scanKeys(): string[] {
    const keys = [this.scanKey()];
    for (;;) {
      this.skip(SPACE);
      if (this.text[this.offset] !== ".") return keys;
      this.offset++;
      this.skip(SPACE);
      keys.push(this.scanKey());
    }
  }

  private scanKey(): string {
    const start = this.offset;
    const quote = this.text[start];
    if (quote !== '"' && quote !== "'") return this.skip(BARE_KEY);
    this.scanString(quote);
    const inner = this.text.slice(start + 1, this.offset - 1);
    return quote === '"' ? unescapeKey(inner) : inner;
  }

  private scanValue(path: TomlPath): void {
    const first = this.text[this.offset];
    if (first === '"' || first === "'") this.scanString(first);
    else if (first === "[") this.scanArray(path);
    else if (first === "{") this.scanInlineTable(path);
    else this.skip(BARE_VALUE);
  }

  private scanArray(path: TomlPath): void {
    this.offset++;
    for (let index = 0; ; index++) {
      this.skip(SPACE_AND_COMMENTS);
      const start = this.offset;
      if (start >= this.text.length || this.text[start] === "]") break;
      this.note([...path, index], start, start);
      this.scanValue([...path, index]);
      this.skipComma();
    }
    this.offset++;
  }

  private scanInlineTable(path: TomlPath): void {
    this.offset++;
    for (;;) {
      this.skip(SPACE_AND_COMMENTS);
      if (this.offset >= this.text.length || this.text[this.offset] === "}") break;
      this.scanPair(path);
      this.skipComma();
    }
    this.offset++;
  }

  private skipComma(): void {
    this.skip(SPACE_AND_COMMENTS);
    if (this.text[this.offset] === ",") this.offset++;
  }

  /** Past the closing quote of a string of one or three quotes. */
  private scanString(quote: string): void {
    const long = this.text.startsWith(quote.repeat(3), this.offset);
    const end = long ? quote.repeat(3) : quote;
    this.offset += end.length;
    while (this.offset < this.text.length && !this.text.startsWith(end, this.offset)) {
      this.offset += quote === '"' && this.text[this.offset] === "\\" ? 2 : 1;
    }
    this.offset += end.length;
    // A long string may end in up to two more quotes that belong to it.
    while (long && this.text[this.offset] === quote) this.offset++;
  }

  private skip(pattern: RegExp): string {
    pattern.lastIndex = this.offset;
    const match = pattern.exec(this.text)?.[0] ?? "";
    this.offset += match.length;
    return match;
  }

  private note(path: TomlPath, key: number, value: number): void {
    const name = JSON.stringify(path);
    if (!this.spots.has(name)) this.spots.set(name, { key, value });
  }
}

/** TOML's escapes in basic strings: JSON's, and `\e`, `\xHH`, `\UHHHHHHHH`. */
function unescapeKey(inner: string): string {
  return inner.replace(
    /\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|x([0-9A-Fa-f]{2})|(.))/g,
    (_, u?: string, long?: string, x?: string, letter?: string) => {
      const hex = u ?? long ?? x;
      if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
      return ESCAPES[letter!] ?? letter!;
    },
  );
}

const ESCAPES: Readonly<Record<string, string>> = {
  b: "\b",
  t: "\t",
  n: "\n",
  f: "\f",
  r: "\r",
  e: "\u001b",
};
