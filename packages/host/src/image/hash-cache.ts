/**
 * SHA-256 of files, remembered by their stamps: the engine has 120 MB and takes 0.1 to 0.5 s to hash.
 *
 * Trust (docs/image.md): a remembered hash is as good as the folder it lies in, so only a folder and an entry that
 * belong to this user, and that nobody else may write, are believed; and only hashes of files that nobody but this user or root
 * may change are remembered. Each entry is a file of its own, replaced by renaming: writers never see half of one.
 */
import { createHash, randomUUID } from "node:crypto";
import {
  type BigIntStats,
  closeSync,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { DonjonError } from "@donjon/core/errors";
import { explainSystemError } from "@donjon/core/system-error";
import { makeDirectory } from "../files/make-directory.ts";
import { stateDirectory } from "./places.ts";
import { stampOf } from "./stamp.ts";

export interface HashedFile {
  /** In octets. */
  readonly size: number;
  /** Permission bits. */
  readonly mode: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** Octets read at once. */
const CHUNK_BYTES = 1 << 20;
/** A file that changed this shortly before it was read may change again with the same times. */
const SETTLED_NS = 2_000_000_000n;
const ENTRY = /^([0-9:]+) ([0-9a-f]{64})\n$/;

/** The hash of a regular file, from the cache where it can be. Throws `files/read`. */
export function hashFile(path: string, directory = join(stateDirectory(), "hashes")): HashedFile {
  const file = openForReading(path);
  try {
    const stat = fstatSync(file, { bigint: true });
    if (!stat.isFile()) throw unreadable(path, "it is no regular file");
    const entry = join(directory, `${stat.dev}-${stat.ino}`);
    const known = isOurs(stat) ? readEntry(entry, directory) : null;
    const found = { size: Number(stat.size), mode: Number(stat.mode & 0o7777n) };
    if (known !== null && known.stamp === stampOf(stat)) return { ...found, sha256: known.sha256 };

    const sha256 = hashDescriptor(file);
    const after = fstatSync(file, { bigint: true });
    if (stampOf(after) !== stampOf(stat)) throw unreadable(path, "it changed while it was read");
    const now = BigInt(Date.now()) * 1_000_000n;
    if (isOurs(stat) && now - stat.ctimeNs > SETTLED_NS && now - stat.mtimeNs > SETTLED_NS)
      writeEntry(entry, directory, `${stampOf(stat)} ${sha256}\n`);
    return { ...found, sha256 };
  } finally {
    closeSync(file);
  }
}

function openForReading(path: string): number {
  try {
    return openSync(path, "r");
  } catch (cause) {
    throw unreadable(path, explainSystemError(cause), cause);
  }
}

function hashDescriptor(file: number): string {
  const hash = createHash("sha256");
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  for (;;) {
    const count = readSync(file, chunk);
    if (count === 0) return hash.digest("hex");
    hash.update(chunk.subarray(0, count));
  }
}

/** Only root and this user can change it: the cache cannot say less than reading would. */
function isOurs({ uid, mode }: BigIntStats): boolean {
  const owned = uid === 0n || uid === BigInt(process.getuid!());
  return owned && (mode & 0o022n) === 0n;
}

function readEntry(
  entry: string,
  directory: string,
): { readonly stamp: string; readonly sha256: string } | null {
  try {
    for (const path of [directory, entry]) {
      const file = openSync(path, "r");
      try {
        const stat = fstatSync(file, { bigint: true });
        if (stat.uid !== BigInt(process.getuid!()) || (stat.mode & 0o022n) !== 0n) return null;
      } finally {
        closeSync(file);
      }
    }
    const match = ENTRY.exec(readFileSync(entry, "latin1"));
    return match === null ? null : { stamp: match[1]!, sha256: match[2]! };
  } catch {
    // Not remembered.
    return null;
  }
}

/** A cache that cannot be written costs time and nothing else. */
function writeEntry(entry: string, directory: string, text: string): void {
  const draft = `${entry}.${randomUUID()}`;
  try {
    makeDirectory(directory);
    writeFileSync(draft, text, { flag: "wx", mode: 0o600 });
    renameSync(draft, entry);
  } catch {
    rmSync(draft, { force: true });
  }
}

function unreadable(path: string, why: string, cause?: unknown): DonjonError {
  return new DonjonError("files/read", `'${path}' cannot be hashed: ${why}`, { cause });
}
