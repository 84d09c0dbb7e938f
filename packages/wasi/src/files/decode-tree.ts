/** Reading packed trees from a stream, either part by part or into one buffer. */
import { DonjonError } from "@donjon/core/errors";
import {
  alignTree,
  TREE_HEADER_BYTES,
  type TreeEntry,
  type TreeFile,
  type TreeForm,
  type TreeLimits,
} from "./packed-tree.ts";
import { checkPadding, parseTreeHeader, parseTreeIndex } from "./parse-tree.ts";

export type ByteSource = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** The index comes first, once; then the contents of its files in order, each in pieces. */
export type TreePart =
  | (TreeForm & { readonly kind: "index"; readonly entries: readonly TreeEntry[] })
  | { readonly kind: "content"; readonly file: TreeFile; readonly bytes: Uint8Array };

/**
 * Reads a packed tree part by part, holding the index and the piece at hand. Throws `DonjonError`
 * as `parseTree` does; parts given before that are then worth nothing: act on them only as far as it
 * can be undone, and take the end of the iteration as success.
 */
export async function* decodeTree(
  source: ByteSource,
  limits: TreeLimits,
): AsyncGenerator<TreePart, void, undefined> {
  const reader = new ChunkReader(source);
  try {
    const start = await reader.take(TREE_HEADER_BYTES);
    const header = parseTreeHeader(start, limits);
    const index = await reader.take(header.headBytes - TREE_HEADER_BYTES);
    const head = new Uint8Array(header.headBytes);
    head.set(start);
    head.set(index, TREE_HEADER_BYTES);
    const entries = parseTreeIndex(header, head);
    yield { kind: "index", times: header.times, changes: header.changes, entries };
    for (const file of entries) {
      if (file.kind !== "file") continue;
      for (let left = file.size; left > 0; ) {
        const bytes = await reader.some(left);
        left -= bytes.length;
        yield { kind: "content", file, bytes };
      }
      checkPadding(await reader.take(alignTree(file.size) - file.size));
    }
    await reader.end();
  } finally {
    await reader.close();
  }
}

/** Reads a packed tree into one buffer, for `parseTree`; only its length is checked here. */
export async function gatherTree(
  source: ByteSource,
  limits: TreeLimits,
): Promise<Uint8Array<ArrayBuffer>> {
  const reader = new ChunkReader(source);
  try {
    const start = await reader.take(TREE_HEADER_BYTES);
    const { length } = parseTreeHeader(start, limits);
    const bytes = new Uint8Array(length);
    bytes.set(start);
    for (let at = TREE_HEADER_BYTES; at < length; ) {
      const piece = await reader.some(length - at);
      bytes.set(piece, at);
      at += piece.length;
    }
    await reader.end();
    return bytes;
  } finally {
    await reader.close();
  }
}

class ChunkReader {
  readonly #chunks: Iterator<Uint8Array> | AsyncIterator<Uint8Array>;
  #chunk = new Uint8Array(0);
  #done = false;

  constructor(source: ByteSource) {
    this.#chunks =
      Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  }

  /** Between 1 and `most` bytes, as a view. */
  async some(most: number): Promise<Uint8Array> {
    if (!(await this.#fill())) throw new DonjonError("bytes/truncated", "packed tree: cut short");
    const bytes = this.#chunk.subarray(0, most);
    this.#chunk = this.#chunk.subarray(bytes.length);
    return bytes;
  }

  /** Exactly `length` bytes; memory is taken as bytes arrive, not as a header claims. */
  async take(length: number): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    for (let left = length; left > 0; ) {
      const piece = await this.some(left);
      pieces.push(piece);
      left -= piece.length;
    }
    if (pieces.length === 1) return pieces[0] as Uint8Array;
    const bytes = new Uint8Array(length);
    let at = 0;
    for (const piece of pieces) {
      bytes.set(piece, at);
      at += piece.length;
    }
    return bytes;
  }

  async end(): Promise<void> {
    if (await this.#fill()) {
      throw new DonjonError("bytes/trailing", "packed tree: found bytes after its end");
    }
  }

  /** Tells the source that nothing more is read. */
  async close(): Promise<void> {
    if (!this.#done) await this.#chunks.return?.();
  }

  /** Makes sure there are bytes at hand; false at the end of the source. */
  async #fill(): Promise<boolean> {
    while (this.#chunk.length === 0 && !this.#done) {
      const { done, value } = await this.#chunks.next();
      if (done) this.#done = true;
      else this.#chunk = value as Uint8Array<ArrayBuffer>;
    }
    return this.#chunk.length > 0;
  }
}
