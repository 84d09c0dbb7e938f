/**
 * What a file system may hold, in bytes. Content counts as it is allocated (holes cost nothing);
 * nodes, entries and chunks count with a flat cost near what the engine really spends on them, so
 * that a workload cannot fill memory with empty files or long names.
 */

/** One file or symlink, without its content or target. */
export const NODE_COST_BYTES = 384;
/** One directory, with the tables of its entries. */
export const DIRECTORY_COST_BYTES = 1024;
/** One name in a directory, without the name itself. */
export const ENTRY_COST_BYTES = 160;
/** One allocated chunk of content, without its bytes. */
export const CHUNK_COST_BYTES = 320;

export class Space {
  readonly limit: number;
  #used = 0;

  constructor(limitBytes: number) {
    if (!Number.isSafeInteger(limitBytes) || limitBytes < 0) {
      throw new RangeError(`limitBytes must be a safe integer >= 0, found ${limitBytes}`);
    }
    this.limit = limitBytes;
  }

  get used(): number {
    return this.#used;
  }

  /** Takes `bytes`, or takes nothing and answers false. */
  take(bytes: number): boolean {
    if (bytes > this.limit - this.#used) return false;
    this.#used += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#used -= bytes;
  }
}
