/** The image digest, over the files of a tree as this machine has them. */
import { hash } from "node:crypto";
import { encodeImageListing, type ImageEntry } from "@donjon/protocol/image/listing";
import { hashFile } from "./hash-cache.ts";
import type { TreeFile } from "./tree.ts";

export interface TreeDigest {
  /** Lower-case hex. */
  readonly digest: string;
  /** In the order of the tree. */
  readonly entries: readonly ImageEntry[];
}

/** Hashes what has no remembered hash. Throws `files/read`, and `bytes/invalid` for a tree that is none. */
export function digestTree(files: readonly TreeFile[]): TreeDigest {
  const entries = files.map(({ path, source }) => {
    const { size, mode, sha256 } = hashFile(source);
    return { path, executable: (mode & 0o100) !== 0, size, sha256 };
  });
  return { digest: hash("sha256", encodeImageListing(entries), "hex"), entries };
}
