/**
 * Host functions are *attempts*: they never wait. An attempt answers an errno, or `PENDING` when it
 * would have to wait; then it has noted in its `Wait` what it has done so far and until when it can
 * wait, and is made again, with the same arguments and the same `Wait`, when something has changed.
 * Drivers (`driver/`) turn attempts into imports: by blocking the thread, by suspending the stack
 * (JSPI), or by making them on another thread.
 */
import type { Outcome } from "../errno.ts";
import type { Descriptor } from "./descriptor.ts";

/** What one call carries from attempt to attempt. */
export interface Wait {
  /** Monotonic time to try again at the latest, in nanoseconds; `null`: only when something changes. */
  deadline: bigint | null;
  /** Monotonic time of the first attempt, for functions with relative time-outs. */
  since: bigint | null;
  /** Bytes that earlier attempts have moved. */
  progress: number;
  /** What the descriptor number stood for in earlier attempts: another thread may close and reuse it; `null`: none yet. */
  held: Descriptor | null;
}

export function createWait(): Wait {
  return { deadline: null, since: null, progress: 0, held: null };
}

export function resetWait(wait: Wait): void {
  wait.deadline = null;
  wait.since = null;
  wait.progress = 0;
  wait.held = null;
}

/** Core wasm arguments: i32 as number, i64 as bigint. */
export type CoreValue = number | bigint;

/** An attempt that may answer `PENDING`. All of its arguments are i32. */
export type WaitingAttempt = (wait: Wait, ...args: number[]) => Outcome;
