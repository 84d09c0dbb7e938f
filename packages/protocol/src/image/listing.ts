/**
 * The listing of an image tree, whose SHA-256 is the image digest (docs/image.md). Host and Keep make it from the files
 * that each of them sees; it is never sent.
 */
import { DonjonError } from "@donjon/core/errors";

/** The folders of an image tree, as a Keep sees them below its root; files lie in them directly. */
export const IMAGE_FOLDERS = ["keep", "lib", "lib64"] as const;
/** Files of one tree. */
export const MAX_IMAGE_FILES = 256;
/** Octets of one file of a tree. */
export const MAX_IMAGE_FILE_BYTES = 2 ** 30;

const HEADER = "donjon/image/1\n";
const PATH = /^(?:keep|lib|lib64)\/[A-Za-z0-9_+][A-Za-z0-9._+-]{0,127}$/;
const DIGEST = /^[0-9a-f]{64}$/;

export interface ImageEntry {
  /** Below the root of the Keep, without a leading slash, for example `keep/engine`. */
  readonly path: string;
  /** Whether it may be executed: mode 755 instead of 644. */
  readonly executable: boolean;
  /** In octets. */
  readonly size: number;
  /** SHA-256 of the contents, lower-case hex. */
  readonly sha256: string;
}

/**
 * `donjon/image/1`, then one line for each file, sorted by path: `SHA-256 mode size path`.
 * Throws `bytes/limit` for too many files, `bytes/invalid` for a name that no tree has or that is there twice.
 */
export function encodeImageListing(entries: readonly ImageEntry[]): Uint8Array<ArrayBuffer> {
  if (entries.length > MAX_IMAGE_FILES) {
    const message = `the image tree has ${entries.length} files, and ${MAX_IMAGE_FILES} are the limit`;
    throw new DonjonError("bytes/limit", message);
  }
  // Names are ASCII: the order of their UTF-16 units is that of their octets.
  const sorted = entries.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const lines = sorted.map((entry, i) => {
    if (sorted[i + 1]?.path === entry.path) throw invalid(entry, "a path that is there twice");
    return encodeLine(entry);
  });
  return new TextEncoder().encode(HEADER + lines.join(""));
}

function encodeLine(entry: ImageEntry): string {
  const { path, executable, size, sha256 } = entry;
  if (!PATH.test(path)) throw invalid(entry, "a path outside the tree");
  if (!DIGEST.test(sha256)) throw invalid(entry, "no SHA-256");
  if (!Number.isSafeInteger(size) || size < 0 || size > MAX_IMAGE_FILE_BYTES)
    throw invalid(entry, "a size beyond the limit");
  return `${sha256} ${executable ? "755" : "644"} ${size} ${path}\n`;
}

function invalid({ path }: ImageEntry, what: string): DonjonError {
  const message = `the image tree has ${JSON.stringify(path.slice(0, 160))}, ${what}; wanted a file in ${IMAGE_FOLDERS.join(", ")}`;
  return new DonjonError("bytes/invalid", message);
}
