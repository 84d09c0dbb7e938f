/** The engine's random numbers as a workload's. */
import { createPooledRandom, type Random } from "@donjon/wasi/capability/random";

/** The engine loads its generator at the first use: that takes milliseconds, and many programs never ask. */
export function createEngineRandom(): Random {
  return createPooledRandom((bytes) => crypto.getRandomValues(bytes));
}
