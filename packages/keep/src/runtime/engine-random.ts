/** The engine's random numbers as a workload's. */
import { createPooledRandom, type Random } from "@donjon/wasi/capability/random";

/**
 * `first`: fresh random bytes that nobody else keeps, which last most programs. The generator is
 * loaded when they are used up: that takes milliseconds which a short program should not wait for.
 */
export function createEngineRandom(first: Uint8Array<ArrayBuffer>): Random {
  let spare: Uint8Array<ArrayBuffer> | null = first;
  return createPooledRandom((bytes) => {
    if (spare !== null && bytes.length <= spare.length) {
      bytes.set(spare.subarray(0, bytes.length));
      spare.fill(0);
      spare = null;
    } else crypto.getRandomValues(bytes);
  });
}
