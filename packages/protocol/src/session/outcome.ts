/** How a run ended, as the Keep's `exit` message tells it (README, session). */
export interface StackFrame {
  /** From the module's name section; `wasm-function[n]` where it has none. */
  readonly function: string;
  readonly module: string;
  /** Byte offset in the module. */
  readonly offset: number;
}

export type StopHow = "interrupt" | "kill";

export type RunOutcome =
  | { readonly kind: "exit"; readonly code: number }
  | { readonly kind: "trap"; readonly reason: string; readonly frames: readonly StackFrame[] }
  | { readonly kind: "limit"; readonly limit: "time" | "memory" | "output"; readonly value: number }
  | { readonly kind: "stopped"; readonly how: StopHow };

export interface RunUsage {
  /** Octets. */
  readonly peakMemory: number;
  readonly wallMs: number;
  readonly cpuMs: number;
}

/** Frames of a trap's stack trace that travel. */
export const MAX_STACK_FRAMES = 64;
/** Characters of a name in a stack frame: the module chooses it. */
export const MAX_FRAME_NAME = 1024;
/** Characters of a trap's reason. */
export const MAX_REASON = 4096;

/** Cuts what the workload chose (names, reason) to what may travel. */
export function fitOutcome(outcome: RunOutcome): RunOutcome {
  if (outcome.kind !== "trap") return outcome;
  const fit = (name: string, max: number) => name.toWellFormed().slice(0, max).toWellFormed();
  return {
    kind: "trap",
    reason: fit(outcome.reason, MAX_REASON),
    frames: outcome.frames.slice(0, MAX_STACK_FRAMES).map((frame) => ({
      function: fit(frame.function, MAX_FRAME_NAME),
      module: fit(frame.module, MAX_FRAME_NAME),
      offset: frame.offset,
    })),
  };
}
