/** The initrd of a VM Keep: the image's tree, and around it what a machine needs to start it. */
import { closeSync, createReadStream, createWriteStream, openSync, writeSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import { constants, createZstdCompress } from "node:zlib";
import { type CpioEntry, encodeCpio } from "./cpio.ts";
import { GUEST_DIRECTORIES, GUEST_INIT } from "./guest-init.ts";
import type { TreeFile } from "./tree.ts";

/** Of zstd: above it, minutes of work take away a tenth. */
const COMPRESSION_LEVEL = 9;

export interface InitrdParts {
  /** Files of the tree, with whether each may be executed. */
  readonly tree: readonly (TreeFile & { readonly executable: boolean })[];
  /** The kernel's modules: `modules/tsm.ko.xz` and so on. */
  readonly modules: readonly TreeFile[];
  /** Path of the first process. */
  readonly init: string;
}

/** Everything but the tree lies outside the tree's folders, so that a Keep sees the same tree in both kinds. */
export function listInitrd({ tree, modules, init }: InitrdParts): CpioEntry[] {
  const files: CpioEntry[] = [
    ...tree.map(({ path, source, executable }) => file(path, source, executable)),
    ...modules.map(({ path, source }) => file(path, source, false)),
    file(GUEST_INIT.slice(1), init, true),
  ];
  const folders = new Set<string>(GUEST_DIRECTORIES.map((path) => path.slice(1)));
  for (const { path } of files) {
    for (let at = path.indexOf("/"); at !== -1; at = path.indexOf("/", at + 1))
      folders.add(path.slice(0, at));
  }
  return [...files, ...[...folders].map((path): CpioEntry => ({ path, kind: "directory" }))];
}

function file(path: string, contents: string, executable: boolean): CpioEntry {
  return { path, kind: "file", executable, contents };
}

export function writeInitrd(path: string, parts: InitrdParts): void {
  const output = openSync(path, "wx", 0o644);
  try {
    for (const chunk of encodeCpio(listInitrd(parts))) writeWhole(output, chunk);
  } finally {
    closeSync(output);
  }
}

function writeWhole(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
}

/** One zstd frame with a checksum; the engine's zstd is pinned with it, and so are the bytes. */
export async function compressInitrd(path: string, compressed: string): Promise<void> {
  const zstd = createZstdCompress({
    params: {
      [constants.ZSTD_c_compressionLevel]: COMPRESSION_LEVEL,
      [constants.ZSTD_c_checksumFlag]: 1,
    },
  });
  const input = createReadStream(path, { highWaterMark: 1 << 20 });
  await pipeline(input, zstd, createWriteStream(compressed, { flags: "wx", mode: 0o644 }));
}
