/** Whether a built image still is what its record says, and which inputs two images do not share. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { hashFile } from "./hash-cache.ts";
import type { ImageRecord } from "./record.ts";
import { listTree } from "./tree.ts";

export interface ImageDifference {
  /** Path in the tree, or name of the part. */
  readonly path: string;
  /** Which input it comes from; for parts that are made from others, what they are. */
  readonly input: string;
  /** SHA-256, or `null` where it is not there. */
  readonly before: string | null;
  readonly after: string | null;
}

/** What differs between the record and the files; empty when nothing does. Throws `files/read`. */
export function checkImage(directory: string, record: ImageRecord): ImageDifference[] {
  const tree = join(directory, "tree");
  const actual = new Map<string, string>();
  for (const { path, source } of listTree(tree)) {
    const { sha256, mode } = hashFile(source);
    actual.set(path, describeFile(sha256, (mode & 0o100) !== 0));
  }
  for (const { name } of record.boot) {
    const path = join(directory, name);
    if (existsSync(path)) actual.set(name, hashFile(path).sha256);
  }
  return compare(listRecorded(record), actual, record.origins, record.origins);
}

/** What differs between two images; empty when nothing does. */
export function compareImages(a: ImageRecord, b: ImageRecord): ImageDifference[] {
  return compare(listRecorded(a), listRecorded(b), a.origins, b.origins);
}

function listRecorded(record: ImageRecord): Map<string, string> {
  return new Map([
    ...record.tree.map(
      ({ path, sha256, executable }) => [path, describeFile(sha256, executable)] as const,
    ),
    ...record.boot.map(({ name, sha256 }) => [name, sha256] as const),
  ]);
}

function describeFile(sha256: string, executable: boolean): string {
  return executable ? `${sha256} executable` : sha256;
}

function compare(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
  originsBefore: Readonly<Record<string, string>>,
  originsAfter: Readonly<Record<string, string>>,
): ImageDifference[] {
  const paths = new Set([...before.keys(), ...after.keys()]);
  return [...paths].flatMap((path) => {
    const [old, now] = [before.get(path) ?? null, after.get(path) ?? null];
    if (old === now) return [];
    const [from, to] = [originsBefore[path], originsAfter[path]];
    const input =
      from !== undefined && to !== undefined && from !== to ? `${from} -> ${to}` : (to ?? from);
    return [{ path, input: input ?? "made from the other parts", before: old, after: now }];
  });
}
