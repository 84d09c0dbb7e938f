/** Runs a loaded module on this thread, and tells how it ended. */
import { DonjonError } from "@donjon/core/errors";
import type { Preview1 } from "@donjon/wasi/p1/preview1";
import { explainCompileError } from "./load-module.ts";
import type { Entry } from "./module-check.ts";
import { describeTrap, MAX_FRAMES, parseFrames } from "./trap.ts";
import type { WorkloadOutcome } from "./workload.ts";

/** Thrown through the workload to end it when it has reached a limit. */
export class LimitReached extends Error {
  readonly outcome: WorkloadOutcome;

  constructor(limit: "output" | "memory", value: number) {
    super(`the limit of ${limit} is reached`);
    this.outcome = { kind: "limit", limit, value };
  }
}

/**
 * Calls the entry of an instance. A limit that was reached wins over whatever the workload did with the
 * exception. Throws `DonjonError` `workload/invalid` for a function that turns out to be invalid.
 */
export function runEntry(
  start: () => unknown,
  exit: Preview1["exit"],
  reached: () => LimitReached | null,
): WorkloadOutcome {
  Error.stackTraceLimit = MAX_FRAMES;
  try {
    start();
  } catch (error) {
    return reached()?.outcome ?? describeEnd(error, exit);
  }
  return reached()?.outcome ?? { kind: "exit", code: exit.code ?? 0 };
}

function describeEnd(error: unknown, exit: Preview1["exit"]): WorkloadOutcome {
  if (exit.isExit(error)) return { kind: "exit", code: exit.code ?? 0 };
  if (error instanceof WebAssembly.CompileError) throw explainCompileError(error);
  if (error instanceof WebAssembly.LinkError) {
    throw new DonjonError(
      "workload/unsupported",
      `the workload does not fit WASI: ${error.message}`,
      {
        cause: error,
      },
    );
  }
  if (error instanceof RangeError && /out of memory|allocat/i.test(error.message)) {
    throw new DonjonError(
      "workload/limit",
      `the workload's memory cannot be had: ${error.message}`,
      {
        cause: error,
      },
    );
  }
  return {
    kind: "trap",
    reason: describeTrap(error),
    frames: parseFrames(error instanceof Error ? error.stack : undefined),
  };
}

/** The entry of an instance as a function; a reactor is initialized and exits. */
export function findStart(instance: WebAssembly.Instance, entry: Entry): () => unknown {
  return instance.exports[entry] as () => unknown;
}
