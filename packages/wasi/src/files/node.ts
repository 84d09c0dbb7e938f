/** What every node of a memory file system has: identity, link count, holders and times. */
import type { Node, NodeKind, NodeStat } from "../capability/files.ts";
import { fail, type Outcome } from "../errno.ts";
import type { MemoryFiles } from "./memory-files.ts";

export abstract class MemoryNode implements Node {
  abstract readonly kind: NodeKind;
  readonly fs: MemoryFiles;
  readonly inode: bigint;
  /** Directory entries that lead here. */
  names = 0;
  /** Descriptors that hold this node. */
  holders = 0;
  accessed: bigint;
  modified: bigint;
  changed: bigint;

  constructor(fs: MemoryFiles, inode: bigint) {
    this.fs = fs;
    this.inode = inode;
    const now = fs.now();
    this.accessed = now;
    this.modified = now;
    this.changed = now;
  }

  /** Size as `stat` shows it, in bytes. */
  abstract get size(): number;

  /** Link count as `stat` shows it. */
  get links(): number {
    return this.names;
  }

  stat(): NodeStat {
    return {
      kind: this.kind,
      inode: this.inode,
      device: this.fs.device,
      links: this.links,
      size: this.size,
      accessed: this.accessed,
      modified: this.modified,
      changed: this.changed,
    };
  }

  setTimes(accessed: bigint | null, modified: bigint | null): Outcome {
    if (this.fs.readOnly) return fail("rofs");
    if (accessed !== null) this.accessed = accessed;
    if (modified !== null) this.modified = modified;
    this.changed = this.fs.now();
    return 0;
  }

  /** Content or entries changed just now. */
  touch(): void {
    const now = this.fs.now();
    this.modified = now;
    this.changed = now;
  }

  /** Called once, when neither a name nor a descriptor leads here any more. */
  abstract drop(): void;
}
