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
