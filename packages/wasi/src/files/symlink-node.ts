import type { SymlinkNode } from "../capability/files.ts";
import type { MemoryFiles } from "./memory-files.ts";
import { MemoryNode } from "./node.ts";
import { NODE_COST_BYTES } from "./space.ts";
import { utf8Length } from "./utf8.ts";

export class MemorySymlink extends MemoryNode implements SymlinkNode {
  readonly kind = "symlink";
  readonly target: string;
  readonly #targetBytes: number;

  constructor(fs: MemoryFiles, inode: bigint, target: string) {
    super(fs, inode);
    this.target = target;
    this.#targetBytes = utf8Length(target);
  }

  override get size(): number {
    return this.#targetBytes;
  }

  override drop(): void {
    this.fs.space.give(symlinkCost(this.#targetBytes));
  }
}

/** What a symlink with a target of so many bytes of UTF-8 counts. */
export function symlinkCost(targetBytes: number): number {
  return NODE_COST_BYTES + 2 * targetBytes;
}
