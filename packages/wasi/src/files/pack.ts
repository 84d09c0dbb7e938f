/** Writing packed trees: plan the index from entries with known sizes, then stream the contents. */
import { DonjonError } from "@donjon/core/errors";
import { allocateBytes } from "./file-content.ts";
import {
  alignTree,
  ENTRY_FLAG_EXECUTABLE,
  ENTRY_KIND,
  TREE_ENTRY_BYTES,
  TREE_FLAG_CHANGES,
  TREE_FLAG_TIMES,
  TREE_HEADER_BYTES,
  TREE_MAGIC,
  TREE_VERSION,
  type TreeEntry,
  type TreeFile,
  type TreeForm,
} from "./packed-tree.ts";
import { parseTreeHeader, parseTreeIndex } from "./parse-tree.ts";
import { compareUtf8 } from "./utf8.ts";

/** A tree whose contents are still to be written. */
export interface TreePlan extends TreeForm {
  /** In the order of the format. */
  readonly entries: readonly TreeEntry[];
  /** Header and index: the first bytes of the packed tree. */
  readonly head: Uint8Array;
  /** Bytes of the whole packed tree. */
  readonly length: number;
}

/** Where the content of a file comes from, in pieces that together are `file.size` long. */
export type TreeSource = (file: TreeFile) => Iterable<Uint8Array>;

const encoder = new TextEncoder();

/**
 * Sorts the entries and lays out the tree. Throws `DonjonError` (`bytes/invalid`, `bytes/limit`) for
 * names, parents or links that the format does not allow: what is planned can always be read.
 * A hard link must name a file that comes earlier in byte order.
 */
export function planTree(given: Iterable<TreeEntry>, form: TreeForm): TreePlan {
  const entries = [...given].sort((a, b) => compareUtf8(a.path, b.path));
  const fileIndex = new Map<string, number>();
  entries.forEach((entry, index) => {
    if (entry.kind === "file") fileIndex.set(entry.path, index);
  });
  const records = entries.map((entry) => encodeEntry(entry, form, fileIndex));
  const indexBytes = records.reduce((sum, record) => sum + record.length, 0);
  let contentBytes = 0;
  for (const entry of entries) if (entry.kind === "file") contentBytes += alignTree(entry.size);
  const head = new Uint8Array(alignTree(TREE_HEADER_BYTES + indexBytes));
  head.set(encodeHeader(form, entries.length, indexBytes, contentBytes));
  let at = TREE_HEADER_BYTES;
  for (const record of records) {
    head.set(record, at);
    at += record.length;
  }
  const length = head.length + contentBytes;
  const header = parseTreeHeader(head, { maxBytes: length });
  return { ...form, entries: parseTreeIndex(header, head), head, length };
}

/**
 * The packed tree in one buffer. Throws as `planTree` does, `files/limit`, and `files/read` when a content is not as long
 * as its entry says.
 */
export function packTree(
  entries: Iterable<TreeEntry>,
  form: TreeForm,
  source: TreeSource,
): Uint8Array {
  const plan = planTree(entries, form);
  const bytes = allocateBytes(plan.length);
  if (bytes === undefined) {
    throw new DonjonError("files/limit", `no memory for a packed tree of ${plan.length} bytes`);
  }
  bytes.set(plan.head);
  let start = plan.head.length;
  for (const file of plan.entries) {
    if (file.kind !== "file") continue;
    let done = 0;
    for (const piece of source(file)) {
      refuseOverrun(file, done + piece.length);
      bytes.set(piece, start + done);
      done += piece.length;
    }
    refuseShort(file, done);
    start += alignTree(file.size);
  }
  return bytes;
}

function encodeHeader(
  form: TreeForm,
  count: number,
  indexBytes: number,
  contentBytes: number,
): Uint8Array {
  const bytes = new Uint8Array(TREE_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(TREE_MAGIC);
  view.setUint16(8, TREE_VERSION, true);
  const flags = (form.times ? TREE_FLAG_TIMES : 0) | (form.changes ? TREE_FLAG_CHANGES : 0);
  view.setUint16(10, flags, true);
  view.setUint32(12, count, true);
  view.setBigUint64(16, BigInt(indexBytes), true);
  view.setBigUint64(24, BigInt(contentBytes), true);
  return bytes;
}

function encodeEntry(
  entry: TreeEntry,
  form: TreeForm,
  fileIndex: ReadonlyMap<string, number>,
): Uint8Array {
  const path = encodeText(entry.path, entry.path);
  const target = encodeText(entry.kind === "symlink" ? entry.target : "", entry.path);
  const bytes = new Uint8Array(TREE_ENTRY_BYTES + path.length + target.length);
  const view = new DataView(bytes.buffer);
  let extra = target.length;
  if (entry.kind === "link") {
    const index = fileIndex.get(entry.to);
    if (index === undefined) {
      throw invalid(
        `found the hard link ${show(entry.path)} to ${show(entry.to)}, which is no file of the tree`,
      );
    }
    extra = index;
  }
  view.setUint8(0, ENTRY_KIND[entry.kind]);
  view.setUint8(1, entry.kind === "file" && entry.executable ? ENTRY_FLAG_EXECUTABLE : 0);
  view.setUint16(2, path.length, true);
  view.setUint32(4, extra, true);
  if (entry.kind === "file") view.setBigUint64(8, BigInt(entry.size), true);
  if (form.times && "modified" in entry) {
    if (BigInt.asUintN(64, entry.modified) !== entry.modified) {
      throw invalid(`found the time ${entry.modified} at ${show(entry.path)}, wanted 64 bits`);
    }
    view.setBigUint64(16, entry.modified, true);
  }
  bytes.set(path, TREE_ENTRY_BYTES);
  bytes.set(target, TREE_ENTRY_BYTES + path.length);
  return bytes;
}

function encodeText(text: string, path: string): Uint8Array {
  if (!text.isWellFormed()) throw invalid(`found a lone surrogate in ${show(path)}`);
  const bytes = encoder.encode(text);
  // Longer than the length fields can say; far above the limit of the format.
  if (bytes.length > 0xffff) throw invalid(`found ${bytes.length} bytes of name or target`);
  return bytes;
}

function refuseOverrun(file: TreeFile, found: number): void {
  if (found > file.size) refuseSize(file, `more than ${file.size}`);
}

function refuseShort(file: TreeFile, found: number): void {
  if (found < file.size) refuseSize(file, `${found}`);
}

function refuseSize(file: TreeFile, found: string): never {
  throw new DonjonError(
    "files/read",
    `found ${found} bytes of ${show(file.path)}, wanted ${file.size}; leave files alone while they are packed`,
  );
}

function invalid(found: string): DonjonError {
  return new DonjonError("bytes/invalid", `packed tree: ${found}`);
}

function show(path: string): string {
  return JSON.stringify(path.length > 200 ? `${path.slice(0, 200)}...` : path);
}
