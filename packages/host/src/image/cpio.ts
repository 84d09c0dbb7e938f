/**
 * A writer of cpio archives in the format `newc`, which the kernel takes as an initrd
 * (Documentation/driver-api/early-userspace/buffer-format.rst). The same entries give the same bytes: order, times,
 * owners and inode numbers are fixed.
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { DonjonError } from "@donjon/core/errors";
import { explainSystemError } from "@donjon/core/system-error";

export type CpioEntry =
  | { readonly path: string; readonly kind: "directory" }
  | {
      readonly path: string;
      readonly kind: "file";
      readonly executable: boolean;
      /** The bytes, or the absolute path of the file that holds them. */
      readonly contents: Uint8Array | string;
    };

const MAGIC = "070701";
const TRAILER = "TRAILER!!!";
const DIRECTORY_MODE = 0o040755;
const FILE_MODE = 0o100644;
const EXECUTABLE_MODE = 0o100755;
/** Names and contents begin at multiples of it. */
const ALIGNMENT = 4;
/** Sizes have eight hexadecimal digits. */
const MAX_FILE_BYTES = 0xffff_ffff;
/** PATH_MAX of the kernel, which holds the NUL too. */
const MAX_NAME_BYTES = 4096;
const CHUNK_BYTES = 1 << 20;

/**
 * The archive in chunks, entries sorted by path; a folder must be among them before what is in it.
 * Throws `bytes/invalid` and `bytes/limit` for names and sizes that the format cannot carry, `files/read`.
 */
export function* encodeCpio(entries: readonly CpioEntry[]): Generator<Uint8Array> {
  const sorted = entries.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const folders = new Set([""]);
  let previous = "";
  for (const [index, entry] of sorted.entries()) {
    checkName(entry.path);
    const folder = entry.path.slice(0, Math.max(0, entry.path.lastIndexOf("/")));
    if (!folders.has(folder)) throw invalid(entry.path, "whose folder is not in the archive");
    if (entry.path === previous) throw invalid(entry.path, "which is there twice");
    if (entry.kind === "directory") folders.add(entry.path);
    previous = entry.path;
    yield* encodeEntry(entry, index + 1);
  }
  yield encodeHeader(TRAILER, { inode: 0, mode: 0, links: 1, size: 0 });
}

function* encodeEntry(entry: CpioEntry, inode: number): Generator<Uint8Array> {
  if (entry.kind === "directory") {
    yield encodeHeader(entry.path, { inode, mode: DIRECTORY_MODE, links: 2, size: 0 });
    return;
  }
  const mode = entry.executable ? EXECUTABLE_MODE : FILE_MODE;
  const { contents } = entry;
  if (typeof contents !== "string") {
    yield encodeHeader(entry.path, { inode, mode, links: 1, size: contents.length });
    yield contents;
    yield encodePadding(contents.length);
    return;
  }
  const file = openContents(contents);
  try {
    const { size } = fstatSync(file);
    if (size > MAX_FILE_BYTES)
      throw new DonjonError("bytes/limit", `'${contents}' is too large for a cpio archive`);
    yield encodeHeader(entry.path, { inode, mode, links: 1, size });
    yield* readExactly(file, size, contents);
    yield encodePadding(size);
  } finally {
    closeSync(file);
  }
}

/** c_magic, then thirteen numbers of eight hexadecimal digits, the name with its NUL, zeros up to the alignment. */
function encodeHeader(
  name: string,
  facts: {
    readonly inode: number;
    readonly mode: number;
    readonly links: number;
    readonly size: number;
  },
): Uint8Array {
  const { inode, mode, links, size } = facts;
  const nameBytes = Buffer.byteLength(name) + 1;
  // ino, mode, uid, gid, nlink, mtime, filesize, devmajor, devminor, rdevmajor, rdevminor, namesize, check
  const numbers = [inode, mode, 0, 0, links, 0, size, 0, 0, 0, 0, nameBytes, 0];
  const text = MAGIC + numbers.map((number) => number.toString(16).padStart(8, "0")).join("");
  const bytes = Buffer.from(`${text}${name}\0`);
  return Buffer.concat([bytes, encodePadding(bytes.length)]);
}

function encodePadding(length: number): Uint8Array {
  return new Uint8Array(-length & (ALIGNMENT - 1));
}

function* readExactly(file: number, size: number, path: string): Generator<Uint8Array> {
  for (let at = 0; at < size; ) {
    // A chunk of its own each time: whoever takes them may keep them.
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, size - at));
    const count = readSync(file, chunk);
    if (count === 0)
      throw new DonjonError("files/read", `'${path}' became shorter while it was read`);
    at += count;
    yield chunk.subarray(0, count);
  }
}

function openContents(path: string): number {
  try {
    return openSync(path, "r");
  } catch (cause) {
    const message = `'${path}' cannot be read: ${explainSystemError(cause)}`;
    throw new DonjonError("files/read", message, { cause });
  }
}

function checkName(path: string): void {
  if (Buffer.byteLength(path) >= MAX_NAME_BYTES)
    throw new DonjonError("bytes/limit", "a name is too long for a cpio archive");
  const parts = path.split("/");
  if (parts.some((part) => part === "" || part === "." || part === ".."))
    throw invalid(path, "which is no plain path below the root");
  if (path.includes("\0") || path === TRAILER) throw invalid(path, "which the format cannot carry");
}

function invalid(path: string, what: string): DonjonError {
  return new DonjonError(
    "bytes/invalid",
    `a cpio archive was to hold ${JSON.stringify(path)}, ${what}`,
  );
}
