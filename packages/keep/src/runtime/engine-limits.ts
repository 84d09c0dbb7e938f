/**
 * Limits that only V8 can hold, set for the whole process before the module is compiled: a Keep runs one
 * workload. A worker's `resourceLimits` do not cover the memory of wasm.
 */
import { setFlagsFromString } from "node:v8";

/**
 * Entries of all tables of a workload together. Tables lie in the worker's heap, where one allocation that does not fit
 * ends the process and not only the worker. Real programs have one table with an entry per function.
 */
export const MAX_TABLE_ENTRIES = 4_000_000;

/** No memory grows past `pages` and no table past its share, whatever the module declares. */
export function setEngineLimits(pages: number, tableCount: number): void {
  setFlagsFromString(`--wasm-max-mem-pages=${pages}`);
  const entries = Math.floor(MAX_TABLE_ENTRIES / Math.max(1, tableCount));
  setFlagsFromString(`--wasm-max-table-size=${entries}`);
}
