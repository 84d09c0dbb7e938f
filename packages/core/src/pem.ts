/**
 * PEM, strict: blocks of one label after another, nothing but white space between and around them.
 *
 * Source: RFC 7468. Tolerated because quoting enclaves and caches write them: CRLF, a last line of any
 * length, and NUL bytes at the very end (C strings copied with their terminator).
 */
import { decodeBase64 } from "./base64.ts";
import { DonjonError } from "./errors.ts";

/** Largest PEM text in characters; a certificate chain takes about 6,000. */
export const MAX_PEM_CHARACTERS = 4 * 1024 * 1024;
/** Most blocks in one text; chains have three. */
const MAX_PEM_BLOCKS = 64;

const BEGIN = /^-----BEGIN ([A-Z0-9 ]+)-----$/;

export interface PemBlock {
  readonly label: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * The contents of every block, in order. A block with another label, text between blocks and a text
 * without any block are refused with `bytes/invalid`.
 */
export function decodePem(text: string, label: string): Uint8Array<ArrayBuffer>[] {
  return decodePemBlocks(text).map((block) => {
    if (block.label !== label) throw invalid(`found '${block.label}'`, label);
    return block.bytes;
  });
}

/** As `decodePem`, for texts that mix labels. */
export function decodePemBlocks(text: string): PemBlock[] {
  if (text.length > MAX_PEM_CHARACTERS) {
    throw new DonjonError(
      "bytes/limit",
      `PEM has ${text.length} characters, limit ${MAX_PEM_CHARACTERS}`,
    );
  }
  const lines = withoutTrailingNul(text).split(/\r?\n/);
  const blocks: PemBlock[] = [];
  let label = "";
  let body: string[] | undefined;
  for (const line of lines) {
    if (body === undefined) {
      const found = BEGIN.exec(line.trimEnd())?.[1];
      if (found === undefined && line.trim() === "") continue;
      if (found === undefined) throw invalid("found text outside a block");
      if (blocks.length === MAX_PEM_BLOCKS) {
        throw new DonjonError("bytes/limit", `PEM has more than ${MAX_PEM_BLOCKS} blocks`);
      }
      label = found;
      body = [];
    } else if (line.trimEnd() === `-----END ${label}-----`) {
      blocks.push({ label, bytes: decodeBase64(body.join("")) });
      body = undefined;
    } else {
      body.push(line.trimEnd());
    }
  }
  if (body !== undefined) throw invalid("the text ends inside a block", label);
  if (blocks.length === 0) throw invalid("found no block");
  return blocks;
}

/** Whether `bytes` read as PEM: the first non-blank characters are its dashes. */
export function looksLikePem(bytes: Uint8Array): boolean {
  const head = String.fromCharCode(...bytes.subarray(0, 64));
  return head.trimStart().startsWith("-----BEGIN ");
}

function withoutTrailingNul(text: string): string {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === 0) end -= 1;
  return text.slice(0, end);
}

function invalid(found: string, label?: string): DonjonError {
  const wanted = label === undefined ? "PEM blocks" : `blocks of '${label}'`;
  return new DonjonError("bytes/invalid", `Cannot read PEM: ${found}, wanted ${wanted}`);
}
