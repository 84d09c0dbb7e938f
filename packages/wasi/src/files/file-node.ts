import type { FileNode } from "../capability/files.ts";
import { fail, type Outcome } from "../errno.ts";
import { FileContent } from "./file-content.ts";
import type { MemoryFiles } from "./memory-files.ts";
import { MemoryNode } from "./node.ts";
import { NODE_COST_BYTES } from "./space.ts";

/**
 * A regular file. Writing, cutting and extending set `modified` and `changed`; reading leaves
 * `accessed` alone (as a Linux mount with `noatime`), so that a read is never a change.
 */
export class MemoryFile extends MemoryNode implements FileNode {
  readonly kind = "file";
  readonly content: FileContent;
  /** The owner's executable bit. WASI neither shows nor changes it; packed trees carry it. */
  executable = false;

  constructor(fs: MemoryFiles, inode: bigint, base?: Uint8Array) {
    super(fs, inode);
    this.content = new FileContent(fs.space, base);
  }

  override get size(): number {
    return this.content.size;
  }

  read(memory: Uint8Array, offset: number, length: number, position: number): Outcome {
    return this.content.read(memory, offset, length, position);
  }

  write(memory: Uint8Array, offset: number, length: number, position: number): Outcome {
    if (this.fs.readOnly) return fail("rofs");
    if (length === 0) return 0;
    const outcome = this.content.write(memory, offset, length, position);
    if (outcome > 0) this.touch();
    return outcome;
  }

  truncate(size: number): Outcome {
    if (this.fs.readOnly) return fail("rofs");
    const outcome = this.content.truncate(size);
    if (outcome === 0) this.touch();
    return outcome;
  }

  allocate(position: number, length: number): Outcome {
    if (this.fs.readOnly) return fail("rofs");
    if (length === 0) return fail("inval");
    const outcome = this.content.allocate(position, length);
    if (outcome === 0) this.touch();
    return outcome;
  }

  override drop(): void {
    this.content.truncate(0);
    this.fs.space.give(NODE_COST_BYTES);
  }
}
