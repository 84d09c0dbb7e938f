/** Reads the transcripts of a page, and compares what a command prints now with what it printed then. */
import { stripVTControlCharacters } from "node:util";
import { parseCodeBlocks } from "../../../tools/docs/markdown.ts";

/** A command of a transcript and what it printed. */
export interface Step {
  readonly command: string;
  readonly output: string;
  /** A comment behind the command says so: it goes on beside those that follow. */
  readonly stays: boolean;
}

const PROMPT = "$ ";
const STAYS = /\s+# leave it running$/;

/** Commands in `console` blocks: lines after a prompt, each with the lines below it up to the next. */
export function parseTranscript(page: string): Step[] {
  return parseCodeBlocks(page)
    .filter(({ language }) => language === "console")
    .flatMap(({ text }) => text.split(/^(?=\$ )/m))
    .map((part) => {
      const end = part.indexOf("\n");
      const line = part.slice(0, end);
      if (!line.startsWith(PROMPT)) throw new Error(`no prompt before '${line}'`);
      const command = line.slice(PROMPT.length).replace(STAYS, "");
      return { command, output: part.slice(end + 1), stays: STAYS.test(line) };
    });
}

/** Said only when the sources are newer than what was built of them. */
const SOMETIMES = /^built .*\n/gm;

/** What differs between two runs and has nothing that a later line could refer to. */
const CHANGING: readonly (readonly [RegExp, string])[] = [
  [/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z| UTC)/g, "TIME"],
  [/^\d\d:\d\d:\d\d /gm, "TIME "],
  [/\b[\d.]+ (ns|ms|s|KiB|MiB)\b/g, "N $1"],
  [/\b\d+ passed\b/g, "N passed"],
  // Columns are as wide as what stands in them.
  [/ {2,}/g, "  "],
  // Which phases there are, and in which order they end, is a matter of luck.
  [/^(phases +).*$/gm, "$1..."],
  // What a machine without a TEE lacks.
  [/(has no hardware that protects a Keep) \(.*?\),/g, "$1 (...),"],
  // With bubblewrap or without.
  [/^(keep +process) \(.*\)$/gm, "$1 (...)"],
  [/\(SIMULATED: a process .*?\)/g, "(SIMULATED: a process ...)"],
];

/** Ids, digests and keys: each stands for one thing, wherever it is printed. */
const VALUE = /sha256\/\/[A-Za-z0-9+/]{43}=|\b[0-9a-f]{16,}\b|\b[0-9a-f]{8}\.\.\./g;

/** The values of one run, by order of first appearance: two runs that say the same name them alike. */
export class Values {
  readonly #found: string[] = [];

  /** The text without what changes from run to run; its values are numbered. */
  normalise(text: string): string {
    const numbered = text
      .replace(SOMETIMES, "")
      .replace(VALUE, (value) => `VALUE-${this.#number(value)}`);
    return CHANGING.reduce((rest, [what, by]) => rest.replace(what, by), numbered).trim();
  }

  #number(value: string): number {
    if (!this.#found.includes(value)) this.#found.push(value);
    return this.#found.indexOf(value);
  }

  /** The text with every value of this run replaced by that of `other`, as someone does who copies from the screen. */
  translate(text: string, other: Values): string {
    return text.replace(VALUE, (value) => other.#found[this.#found.indexOf(value)] ?? value);
  }
}

/** What a page shows of an output: of digests the beginning. Ids, which commands take, stay as they are. */
export function shorten(text: string): string {
  return text.replace(SOMETIMES, "").replace(/\b([0-9a-f]{8})[0-9a-f]{24,}\b/g, "$1...");
}

/** How the command takes away a line that showed progress. */
const CLEAR = "\r\u001b[K";

/** What stays on a terminal's screen: no colours, and nothing of a line that was cleared. */
export function readScreen(bytes: string): string {
  const lines = bytes.replaceAll("\r\n", "\n").split("\n");
  return stripVTControlCharacters(lines.map((line) => line.split(CLEAR).at(-1)!).join("\n"));
}
