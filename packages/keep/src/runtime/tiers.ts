/**
 * How V8 compiles a module: chosen by its size, set by flags before it is compiled. The reasons and the
 * figures are in docs/decisions/0020-compile-tiers.md.
 */
import { setFlagsFromString } from "node:v8";

/** Code up to this size is compiled by the optimizing compiler at once, function by function on first call. */
export const OPTIMIZE_AT_ONCE_BYTES = 256 << 10;

export type Tier = "optimized" | "lazy";

export function chooseTier(codeBytes: number): Tier {
  return codeBytes <= OPTIMIZE_AT_ONCE_BYTES ? "optimized" : "lazy";
}

/** Flags hold for the whole process, and count when a function is compiled: a Keep runs one workload. */
export function setTier(tier: Tier): void {
  if (tier === "optimized") setFlagsFromString("--no-liftoff");
  // Functions are validated when they are first called: an invalid one ends the workload then.
  else setFlagsFromString("--wasm-lazy-validation");
}
