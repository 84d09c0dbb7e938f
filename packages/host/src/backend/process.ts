/** The backend `process`: the Keep is a process of this machine that no hardware protects. */
import type { Backend } from "./backend.ts";

export interface KeepImage {
  /** Absolute path of the pinned engine. */
  readonly engine: string;
  /** Absolute path of the bundled runtime (`keep.cjs`). */
  readonly runtime: string;
}

/**
 * `start` returns at once; a Keep that cannot start shows in `ended` and as the end of its pipes.
 * Under bubblewrap where the machine has it and lets it work, otherwise with the engine's permission
 * model alone: `StartedKeep.sandbox` says which.
 */
export declare function createProcessBackend(image: KeepImage): Backend;
