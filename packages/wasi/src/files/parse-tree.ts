/**
 * Reading packed trees, strictly: there is exactly one row of bytes for a tree, and all others are
 * refused with `DonjonError` (`bytes/truncated`, `bytes/trailing`, `bytes/limit`, `bytes/invalid`).
 */
import { DonjonError, type ErrorCode } from "@donjon/core/errors";
import {
  alignTree,
  ENTRY_FLAG_EXECUTABLE,
  ENTRY_KIND,
  MAX_TREE_CONTENT_BYTES,
  MAX_TREE_DEPTH,
  MAX_TREE_ENTRIES,
  MAX_TREE_INDEX_BYTES,
  type PackedTree,
  parentPath,
  TREE_ENTRY_BYTES,
  TREE_FLAG_CHANGES,
  TREE_FLAG_TIMES,
  TREE_HEADER_BYTES,
  TREE_MAGIC,
  TREE_VERSION,
  type TreeEntry,
  type TreeFile,
  type TreeForm,
  type TreeLimits,
} from "./packed-tree.ts";
import { MAX_NAME_BYTES, MAX_PATH_BYTES } from "./path-walk.ts";
import { compareUtf8, fitsUtf8 } from "./utf8.ts";

export interface TreeHeader extends TreeForm {
  readonly count: number;
  readonly indexBytes: number;
  readonly contentBytes: number;
  /** Where the content part starts: header and index, aligned. */
  readonly headBytes: number;
  /** Bytes of the whole packed tree. */
  readonly length: number;
}

/** Reads a whole packed tree; contents stay in place in `bytes`. */
export function parseTree(bytes: Uint8Array, limits: TreeLimits): PackedTree {
  const header = parseTreeHeader(bytes, limits);
  if (bytes.length < header.length) {
    throw refuse("bytes/truncated", `found ${bytes.length} bytes, wanted ${header.length}`);
  }
  if (bytes.length > header.length) {
    throw refuse("bytes/trailing", `found ${bytes.length} bytes, wanted ${header.length}`);
  }
  const entries = parseTreeIndex(header, bytes.subarray(0, header.headBytes));
  const contents = new Map<string, Uint8Array>();
  let at = header.headBytes;
  for (const entry of entries) {
    if (entry.kind !== "file") continue;
    contents.set(entry.path, bytes.subarray(at, at + entry.size));
    const end = at + alignTree(entry.size);
    checkPadding(bytes.subarray(at + entry.size, end));
    at = end;
  }
  const { times, changes, length } = header;
  const contentOf = (file: TreeFile): Uint8Array => {
    const content = contents.get(file.path);
    if (content === undefined) throw new RangeError(`no file ${show(file.path)} in this tree`);
    return content;
  };
  return { times, changes, entries, length, contentOf };
}

/** Reads the first `TREE_HEADER_BYTES` of `bytes`. */
export function parseTreeHeader(bytes: Uint8Array, limits: TreeLimits): TreeHeader {
  if (bytes.length < TREE_HEADER_BYTES) {
    throw refuse("bytes/truncated", `found ${bytes.length} bytes, wanted a header of 32`);
  }
  if (TREE_MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw refuse("bytes/invalid", "found no magic at the start; this is no packed tree");
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, TREE_HEADER_BYTES);
  const version = view.getUint16(8, true);
  if (version !== TREE_VERSION) {
    throw refuse("bytes/invalid", `found version ${version}, wanted ${TREE_VERSION}`);
  }
  const flags = view.getUint16(10, true);
  if ((flags & ~(TREE_FLAG_TIMES | TREE_FLAG_CHANGES)) !== 0) {
    throw refuse("bytes/invalid", `found unknown flags ${flags}`);
  }
  const count = bound("entries", view.getUint32(12, true), MAX_TREE_ENTRIES);
  const indexBytes = bound("index bytes", view.getBigUint64(16, true), MAX_TREE_INDEX_BYTES);
  const contentBytes = bound("content bytes", view.getBigUint64(24, true), MAX_TREE_CONTENT_BYTES);
  const headBytes = alignTree(TREE_HEADER_BYTES + indexBytes);
  const length = bound("bytes", headBytes + contentBytes, limits.maxBytes);
  return {
    times: (flags & TREE_FLAG_TIMES) !== 0,
    changes: (flags & TREE_FLAG_CHANGES) !== 0,
    ...{ count, indexBytes, contentBytes, headBytes, length },
  };
}

/** Reads the index from the first `header.headBytes` of a tree. */
export function parseTreeIndex(header: TreeHeader, head: Uint8Array): TreeEntry[] {
  if (head.length < header.headBytes) {
    throw refuse("bytes/truncated", `found ${head.length} bytes of index`);
  }
  const end = TREE_HEADER_BYTES + header.indexBytes;
  const reader = new EntryReader(head, end, header);
  const entries: TreeEntry[] = [];
  for (let i = 0; i < header.count; i++) entries.push(reader.next(entries));
  if (reader.at !== end) throw refuse("bytes/trailing", "found bytes after the last entry");
  checkPadding(head.subarray(end, header.headBytes));
  let contentBytes = 0;
  for (const entry of entries) if (entry.kind === "file") contentBytes += alignTree(entry.size);
  if (contentBytes !== header.contentBytes) {
    throw refuse(
      "bytes/invalid",
      `found ${header.contentBytes} content bytes in the header, ${contentBytes} in the entries`,
    );
  }
  return entries;
}

/** Reads entry after entry, and holds what the next one is checked against. */
class EntryReader {
  at = TREE_HEADER_BYTES;
  readonly #head: Uint8Array;
  readonly #view: DataView;
  readonly #end: number;
  readonly #form: TreeForm;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  readonly #kinds = new Map<string, TreeEntry["kind"]>();
  #last = "";

  constructor(head: Uint8Array, end: number, form: TreeForm) {
    this.#head = head;
    this.#view = new DataView(head.buffer, head.byteOffset, head.length);
    this.#end = end;
    this.#form = form;
  }

  next(earlier: readonly TreeEntry[]): TreeEntry {
    const start = this.#skip(TREE_ENTRY_BYTES);
    const kind = this.#view.getUint8(start);
    const flags = this.#view.getUint8(start + 1);
    const extra = this.#view.getUint32(start + 4, true);
    const size = bound(
      "content bytes",
      this.#view.getBigUint64(start + 8, true),
      MAX_TREE_CONTENT_BYTES,
    );
    const modified = this.#view.getBigUint64(start + 16, true);
    const path = this.#text(this.#view.getUint16(start + 2, true));
    this.#checkPath(path);
    const entry = this.#entry(kind, path, { flags, extra, size, modified }, earlier);
    this.#kinds.set(path, entry.kind);
    this.#last = path;
    return entry;
  }

  #entry(
    kind: number,
    path: string,
    fields: { flags: number; extra: number; size: number; modified: bigint },
    earlier: readonly TreeEntry[],
  ): TreeEntry {
    const { flags, extra, size, modified } = fields;
    if (kind !== ENTRY_KIND.file && (flags !== 0 || size !== 0)) throw unused(path);
    if (modified !== 0n && !this.#form.times) throw unused(path);
    switch (kind) {
      case ENTRY_KIND.file:
        if ((flags & ~ENTRY_FLAG_EXECUTABLE) !== 0 || extra !== 0) throw unused(path);
        return { kind: "file", path, size, executable: flags === ENTRY_FLAG_EXECUTABLE, modified };
      case ENTRY_KIND.directory:
        if (extra !== 0) throw unused(path);
        return { kind: "directory", path, modified };
      case ENTRY_KIND.symlink:
        return { kind: "symlink", path, target: this.#target(extra, path), modified };
      case ENTRY_KIND.link: {
        if (modified !== 0n) throw unused(path);
        const to = earlier[extra];
        if (to?.kind !== "file") {
          throw refuse("bytes/invalid", `found a hard link ${show(path)} to no earlier file`);
        }
        return { kind: "link", path, to: to.path };
      }
      case ENTRY_KIND.removed:
        if (modified !== 0n || extra !== 0) throw unused(path);
        if (!this.#form.changes)
          throw refuse("bytes/invalid", "found a removal outside of changes");
        return { kind: "removed", path };
      default:
        throw refuse("bytes/invalid", `found kind ${kind} at ${show(path)}`);
    }
  }

  #checkPath(path: string): void {
    if (path.length === 0) throw refuse("bytes/invalid", "found an empty path");
    if (!fitsUtf8(path, MAX_PATH_BYTES))
      throw refuse("bytes/limit", `found the path ${show(path)}`);
    if (path.includes("\0")) throw refuse("bytes/invalid", `found NUL in ${show(path)}`);
    const names = path.split("/");
    if (names.length > MAX_TREE_DEPTH) throw refuse("bytes/limit", `found ${names.length} levels`);
    for (const name of names) {
      if (name === "" || name === "." || name === "..") {
        throw refuse("bytes/invalid", `found the path ${show(path)}, wanted plain names`);
      }
      if (!fitsUtf8(name, MAX_NAME_BYTES))
        throw refuse("bytes/limit", `found the name ${show(name)}`);
    }
    if (this.#last !== "" && compareUtf8(this.#last, path) >= 0) {
      throw refuse("bytes/invalid", `found ${show(path)} after ${show(this.#last)}, out of order`);
    }
    this.#checkParents(path);
  }

  /** In a tree every parent is an entry before its children; in changes it may be left out. */
  #checkParents(path: string): void {
    for (let parent = parentPath(path); parent !== ""; parent = parentPath(parent)) {
      const kind = this.#kinds.get(parent);
      if (kind === "directory" && !this.#form.changes) return;
      if (kind === "directory" || (kind === undefined && this.#form.changes)) continue;
      const found = kind === undefined ? "no entry" : `a ${kind}`;
      throw refuse(
        "bytes/invalid",
        `found ${found} at ${show(parent)}, the parent of ${show(path)}`,
      );
    }
  }

  #target(length: number, path: string): string {
    if (length === 0 || length > MAX_PATH_BYTES) {
      throw refuse("bytes/limit", `found a link target of ${length} bytes at ${show(path)}`);
    }
    const target = this.#text(length);
    if (target.includes("\0"))
      throw refuse("bytes/invalid", `found NUL in target of ${show(path)}`);
    return target;
  }

  #text(length: number): string {
    const start = this.#skip(length);
    try {
      return this.#decoder.decode(this.#head.subarray(start, start + length));
    } catch (cause) {
      throw refuse("bytes/invalid", "found a name that is not UTF-8", cause);
    }
  }

  #skip(length: number): number {
    const start = this.at;
    if (length > this.#end - start) throw refuse("bytes/truncated", "found the index cut short");
    this.at = start + length;
    return start;
  }
}

/** Throws unless `padding` is all zeros. */
function checkPadding(padding: Uint8Array): void {
  if (padding.some((byte) => byte !== 0)) {
    throw refuse("bytes/invalid", "found padding that is not zero");
  }
}

function bound(what: string, found: number | bigint, most: number): number {
  if (found > most) throw refuse("bytes/limit", `found ${found} ${what}, wanted at most ${most}`);
  return Number(found);
}

function unused(path: string): DonjonError {
  return refuse("bytes/invalid", `found a field of ${show(path)} set that its kind does not use`);
}

function refuse(code: ErrorCode, found: string, cause?: unknown): DonjonError {
  return new DonjonError(code, `packed tree: ${found}`, cause === undefined ? {} : { cause });
}

function show(path: string): string {
  return JSON.stringify(path.length > 200 ? `${path.slice(0, 200)}...` : path);
}
