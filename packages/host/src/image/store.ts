/** The images that are built on this machine, and which of them belongs to which runtime. */
import { hash, randomUUID } from "node:crypto";
import {
  existsSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { makeDirectory } from "../files/make-directory.ts";
import { type BuildInputs, type BuiltImage, buildImage } from "./build.ts";
import { checkImage } from "./check.ts";
import {
  type ImagePointer,
  type ImageSource,
  imageFiles,
  pointerPath,
  readPointer,
} from "./find.ts";
import { encodeGuestInit, GUEST_COMMAND_LINE } from "./guest-init.ts";
import { hashFile } from "./hash-cache.ts";
import { imageCacheDirectory } from "./places.ts";
import { type ImageRecord, RECORD_NAME, readRecord } from "./record.ts";
import { type FileStamp, readStamp } from "./stamp.ts";
import { listTree, RUNTIME_PATH } from "./tree.ts";

export interface StoredImage extends BuiltImage {
  /** `false`: the image that was there is made of these very inputs. */
  readonly isNew: boolean;
}

/** Keeps may still be starting from an image that has just been replaced. */
const GRACE_MS = 3_600_000;
const FOLDER = /^[0-9a-f]{64}$/;
const DRAFT = /^(?:draft-|\.donjon-image-)/;

/** Builds the image where it is not there yet, and makes it the one that backends find. Throws as `buildImage`. */
export async function storeImage(
  inputs: BuildInputs,
  cache = imageCacheDirectory(),
): Promise<StoredImage> {
  makeDirectory(cache);
  const present = findPresent(inputs, cache);
  if (present !== null) {
    point(inputs.source, present.folder, present.record, cache);
    return {
      files: imageFiles(join(cache, present.folder), present.record.digest),
      record: present.record,
      isNew: false,
    };
  }
  const draft = join(cache, `draft-${randomUUID()}`);
  try {
    const { record } = await buildImage(inputs, draft);
    const folder = hash("sha256", readFileSync(join(draft, RECORD_NAME)), "hex");
    const directory = join(cache, folder);
    // Of the same inputs: another build was quicker, or it is no longer what its record says.
    if (!existsSync(directory) || checkImage(directory, record).length > 0) {
      rmSync(directory, { recursive: true, force: true });
      renameSync(draft, directory);
    }
    point(inputs.source, folder, record, cache);
    removeUnused(cache);
    return { files: imageFiles(directory, record.digest), record, isNew: true };
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** An image in the cache that is made of these inputs and is whole. */
function findPresent(
  { source, lock }: BuildInputs,
  cache: string,
): { readonly folder: string; readonly record: ImageRecord } | null {
  if (hashFile(realpathSync(source.engine)).sha256 !== lock.engine.sha256) return null;
  const wanted = [
    [RUNTIME_PATH, hashFile(realpathSync(source.runtime)).sha256],
    ["init", hash("sha256", encodeGuestInit(), "hex")],
    ["cmdline", hash("sha256", GUEST_COMMAND_LINE, "hex")],
  ] as const;
  for (const folder of readdirSync(cache).filter((name) => FOLDER.test(name))) {
    const record = readRecordQuietly(join(cache, folder));
    if (record === null || JSON.stringify(record.lock) !== JSON.stringify(lock)) continue;
    const found = new Map([
      ...record.tree.map(({ path, sha256 }) => [path, sha256] as const),
      ...record.boot.map(({ name, sha256 }) => [name, sha256] as const),
    ]);
    const isSame = wanted.every(([path, sha256]) => found.get(path) === sha256);
    if (isSame && checkImage(join(cache, folder), record).length === 0) return { folder, record };
  }
  return null;
}

function readRecordQuietly(directory: string): ImageRecord | null {
  return existsSync(join(directory, RECORD_NAME)) ? readRecord(directory) : null;
}

function point(given: ImageSource, folder: string, record: ImageRecord, cache: string): void {
  const tree = listTree(imageFiles(join(cache, folder), record.digest).tree);
  const source = { engine: realpathSync(given.engine), runtime: realpathSync(given.runtime) };
  const pointer: ImagePointer = {
    folder,
    digest: record.digest,
    source,
    engine: readStamp(source.engine)!,
    runtime: readStamp(source.runtime)!,
    tree: Object.fromEntries(
      tree.map((file): [string, FileStamp] => [file.source, readStamp(file.source)!]),
    ),
  };
  const path = pointerPath(source, cache);
  const draft = `${path}.${randomUUID()}`;
  writeFileSync(draft, JSON.stringify(pointer), { mode: 0o600 });
  renameSync(draft, path);
}

/** Images that no runtime points to any more, and builds that were interrupted; an image takes a third of a gigabyte. */
function removeUnused(cache: string): void {
  const used = new Set<string>();
  for (const name of readdirSync(cache).filter((each) => each.endsWith(".json"))) {
    const pointer = readPointer(join(cache, name));
    const isLive =
      pointer !== null &&
      existsSync(pointer.source.runtime) &&
      pointerPath(pointer.source, cache) === join(cache, name);
    if (isLive) used.add(pointer.folder);
    else rmSync(join(cache, name), { force: true });
  }
  for (const name of readdirSync(cache)) {
    if (used.has(name) || !(FOLDER.test(name) || DRAFT.test(name))) continue;
    const path = join(cache, name);
    const ctimeMs = statSync(path, { throwIfNoEntry: false })?.ctimeMs ?? Number.POSITIVE_INFINITY;
    if (Date.now() - ctimeMs > GRACE_MS) rmSync(path, { recursive: true, force: true });
  }
}
