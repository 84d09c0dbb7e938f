/** What the choice of tiers (tiers.ts) needs from the whole process. */

const NO_DEOPT = "--no-wasm-deopt";

/**
 * Must be called before any wasm is compiled in the process. The backend starts the engine with the flag, which is surer.
 * Functions that are optimized at once have no baseline to go back to: V8 stops with "function_feedback" on
 * a deoptimization, and with "shared_info.is_null() implies v8_flags.wasm_deopt" when the flag changes
 * during a compilation.
 */
export function prepareTiers(): void {
  if (process.execArgv.includes(NO_DEOPT)) return;
  process.getBuiltinModule("node:v8").setFlagsFromString(NO_DEOPT);
}
