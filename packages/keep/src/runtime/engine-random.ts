/** The engine's random numbers as a workload's. */
import type { Random } from "@donjon/wasi/capability/random";

/** Bytes that are made at once: one call of the generator costs as much as hundreds of bytes. */
export const RANDOM_POOL_BYTES = 4096;

export type FillRandom = (memory: Uint8Array, offset: number, length: number) => unknown;

/**
 * `pool`: fresh random bytes that nobody else keeps, to begin with. `loadFill` gives the generator
 * when that pool is used up: loading it takes milliseconds that a short program should not wait for.
 */
export function createEngineRandom(pool: Uint8Array, loadFill: () => FillRandom): Random {
  let fillRandom: FillRandom | null = null;
  let used = 0;
  return {
    fill(memory, offset, length) {
      if (length > pool.length - used) {
        fillRandom ??= loadFill();
        if (length > pool.length / 4) {
          fillRandom(memory, offset, length);
          return;
        }
        fillRandom(pool, 0, pool.length);
        used = 0;
      }
      memory.set(pool.subarray(used, used + length), offset);
      // What was given out is never given again, nor left to be read.
      pool.fill(0, used, used + length);
      used += length;
    },
  };
}
