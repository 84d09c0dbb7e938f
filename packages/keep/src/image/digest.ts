/** The image digest as the Keep itself finds it: over the files that it sees, when it is asked, never at its start. */
import { createHash, type Hash, hash } from "node:crypto";
import { lstat, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { DonjonError } from "@donjon/core/errors";
import {
  encodeImageListing,
  IMAGE_FOLDERS,
  type ImageEntry,
  MAX_IMAGE_FILE_BYTES,
} from "@donjon/protocol/image/listing";

/** Octets read at once: between two of them the Keep does its other work. */
const CHUNK_BYTES = 256 << 10;

/** Lower-case hex. Rejects with `files/read`, and `bytes/invalid` or `bytes/limit` for files that no image has. */
export async function readImageDigest(root = "/"): Promise<string> {
  const entries: ImageEntry[] = [];
  for (const folder of IMAGE_FOLDERS) {
    // A link to another folder has nothing of its own.
    if (!(await lstat(join(root, folder)).catch(() => null))?.isDirectory()) continue;
    for (const name of await readdir(join(root, folder)))
      entries.push(await readEntry(root, `${folder}/${name}`));
  }
  return hash("sha256", encodeImageListing(entries), "hex");
}

async function readEntry(root: string, path: string): Promise<ImageEntry> {
  const file = await open(join(root, path), "r");
  try {
    const stat = await file.stat();
    const digest = createHash("sha256");
    const size = await hashAll(file, digest);
    if (stat.isFile() && size === stat.size)
      return { path, executable: (stat.mode & 0o100) !== 0, size, sha256: digest.digest("hex") };
  } finally {
    await file.close();
  }
  throw new DonjonError(
    "files/read",
    `'${path}' in the image is no regular file that keeps its size`,
  );
}

async function hashAll(
  file: { read(buffer: Uint8Array): Promise<{ bytesRead: number }> },
  digest: Hash,
): Promise<number> {
  const chunk = new Uint8Array(CHUNK_BYTES);
  for (let size = 0; size <= MAX_IMAGE_FILE_BYTES; ) {
    const { bytesRead } = await file.read(chunk);
    if (bytesRead === 0) return size;
    digest.update(chunk.subarray(0, bytesRead));
    size += bytesRead;
  }
  return -1;
}
