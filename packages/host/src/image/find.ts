/** The image that is built on this machine, as backends use it. Part of every start: stats a few files and hashes none. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { imageCacheDirectory } from "./places.ts";
import { type FileStamp, readStamp } from "./stamp.ts";

/** A built image: every path is absolute. `docs/image.md` has the layout. */
export interface KeepImageFiles {
  /** The folder that holds all of it. */
  readonly directory: string;
  /** The tree as files, as a process Keep sees them: `keep/engine`, `keep/runtime.cjs`, `lib/...`. */
  readonly tree: string;
  /** The kernel as a bzImage, what SNP and TDX measure. */
  readonly kernel: string;
  /** The same kernel as an uncompressed ELF, for PVH boot. */
  readonly vmlinux: string;
  /** Tree, init and modules as an uncompressed cpio: boots faster under TCG. */
  readonly initrd: string;
  /** The same cpio as one zstd frame: what hardware measures and loads. */
  readonly initrdCompressed: string;
  /** A file with the kernel's command line: no newline, no NUL. */
  readonly cmdline: string;
  /** Image digest: SHA-256 over the tree, lower-case hex; the same for both kinds of Keep. */
  readonly digest: string;
}

/** What an image is built from on this machine; absolute paths. */
export interface ImageSource {
  /** The pinned engine, as npm installed it. */
  readonly engine: string;
  /** The bundled runtime (`keep.cjs`). */
  readonly runtime: string;
}

/** Which image was built last for a runtime, and the stamps of all files that say whether it still is the right one. */
export interface ImagePointer {
  /** Name of the image's folder in the cache. */
  readonly folder: string;
  readonly digest: string;
  /** Where engine and runtime are that it was built from. */
  readonly source: ImageSource;
  readonly engine: FileStamp;
  readonly runtime: FileStamp;
  /** The files of the tree, by absolute path. */
  readonly tree: Readonly<Record<string, FileStamp>>;
}

export type ImageSearch =
  | { readonly image: KeepImageFiles }
  /** Why there is none: a clause for people. */
  | { readonly image: null; readonly why: string };

/** The image built for this engine and this runtime. One that is stale or was changed is a miss: it is never used silently. */
export function searchImage(source: ImageSource, cache = imageCacheDirectory()): ImageSearch {
  const pointer = readPointer(pointerPath(source, cache));
  if (pointer === null) return { image: null, why: "no image is built" };
  const { folder, digest, engine, runtime, tree } = pointer;
  if (readStamp(source.engine) !== engine || readStamp(source.runtime) !== runtime)
    return { image: null, why: "the built image is older than the engine or the runtime" };
  for (const [path, stamp] of Object.entries(tree)) {
    if (readStamp(path) !== stamp)
      return { image: null, why: `the built image was changed at '${path}'` };
  }
  return { image: imageFiles(join(cache, folder), digest) };
}

/** The layout of an image's folder. */
export function imageFiles(directory: string, digest: string): KeepImageFiles {
  return {
    directory,
    tree: join(directory, "tree"),
    kernel: join(directory, "kernel"),
    vmlinux: join(directory, "vmlinux"),
    initrd: join(directory, "initrd.cpio"),
    initrdCompressed: join(directory, "initrd.cpio.zst"),
    cmdline: join(directory, "cmdline"),
    digest,
  };
}

/**
 * One pointer for each runtime of this machine: checkouts and versions do not take each other's images away. By inode:
 * that is quicker to learn than a path without links.
 */
export function pointerPath({ runtime }: ImageSource, cache: string): string {
  const { dev, ino } = statSync(runtime, { bigint: true });
  return join(cache, `${dev}-${ino}.json`);
}

/** The cache belongs to this user; what cannot be read as a pointer is none. */
export function readPointer(path: string): ImagePointer | null {
  try {
    const pointer = JSON.parse(readFileSync(path, "utf8")) as Partial<ImagePointer>;
    const { folder, digest, source, tree } = pointer;
    if (!/^[0-9a-f]{64}$/.test(folder ?? "") || !/^[0-9a-f]{64}$/.test(digest ?? "")) return null;
    const isWhole = [source?.engine, source?.runtime, pointer.engine, pointer.runtime].every(
      (each) => typeof each === "string",
    );
    return isWhole && typeof tree === "object" && tree !== null ? (pointer as ImagePointer) : null;
  } catch {
    return null;
  }
}
