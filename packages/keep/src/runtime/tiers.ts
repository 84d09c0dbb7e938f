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

/** Kept for `countCores`: the global itself is taken away before a workload is known (disarm.ts). */
const getNavigator = Object.getOwnPropertyDescriptor(globalThis, "navigator")?.get;

/** Cores that the process may run on. Costs what `node:os` costs to load only where it is asked. */
export function countCores(): number {
  return (getNavigator?.call(globalThis) as Navigator | undefined)?.hardwareConcurrency ?? 1;
}

/** Flags hold for the whole process, and count when a function is compiled: a Keep runs one workload. */
export function setTier(tier: Tier): void {
  for (const flag of listTierFlags(tier, countCores)) setFlagsFromString(flag);
}

/** @param cores answers how many the process may run on; asked only where it counts */
export function listTierFlags(tier: Tier, cores: () => number): string[] {
  if (tier === "optimized") return ["--no-liftoff"];
  return [
    // Functions are validated when they are first called: an invalid one ends the workload then.
    "--wasm-lazy-validation",
    // The engine has four threads that optimize, however few the cores: one core is left to the workload itself.
    `--wasm-num-compilation-tasks=${Math.max(1, cores() - 1)}`,
  ];
}
