/** An image tree: the files that a Keep sees, and where each lies on this machine. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { IMAGE_FOLDERS } from "@donjon/protocol/image/listing";

export interface TreeFile {
  /** Below the root of the Keep, for example `keep/engine`. */
  readonly path: string;
  /** Absolute path on this machine. */
  readonly source: string;
}

export const ENGINE_PATH = "keep/engine";
export const RUNTIME_PATH = "keep/runtime.cjs";
/** Where the engine's ELF header wants its loader. */
export const LOADER_PATH = "lib64/ld-linux-x86-64.so.2";

/** The files of a tree that lies in a folder, as `donjon image build` writes it. Sorted by path. */
export function listTree(directory: string): TreeFile[] {
  return IMAGE_FOLDERS.filter((folder) => existsSync(join(directory, folder))).flatMap((folder) =>
    readdirSync(join(directory, folder))
      .sort()
      .map((name) => ({ path: `${folder}/${name}`, source: join(directory, folder, name) })),
  );
}
