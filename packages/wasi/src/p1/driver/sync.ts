/** Imports that block the thread of the guest while they wait. */
import type { Waiter } from "../../capability/stream.ts";
import { type Outcome, PENDING } from "../../errno.ts";
import { createWait, resetWait, type WaitingAttempt } from "../attempt.ts";
import type { Attempts } from "../attempts.ts";

/** What a guest imports from one module. */
export type ImportObject = Record<string, (...args: never[]) => unknown>;

/**
 * The imports of one module. The usual call, which need not wait, costs one call more than the
 * attempt and allocates nothing; so there is one wrapper for each number of parameters.
 */
export function createSyncImports({ quick, waiting }: Attempts, waiter: Waiter): ImportObject {
  const imports: ImportObject = Object.fromEntries(quick);
  for (const [name, attempt] of waiting) imports[name] = createBlocking(attempt, waiter);
  return imports;
}

function createBlocking(attempt: WaitingAttempt, waiter: Waiter): (...args: never[]) => Outcome {
  // One call at a time: the thread of the guest is in it, or blocked in it.
  const wait = createWait();

  function retry(...args: number[]): Outcome {
    try {
      for (;;) {
        // Read before the attempt: a change after it makes the waiter return at once.
        const epoch = waiter.epoch();
        const outcome = attempt(wait, ...args);
        if (outcome !== PENDING) return outcome;
        waiter.wait(epoch, wait.deadline);
      }
    } finally {
      resetWait(wait);
    }
  }

  // `attempt.length` counts `wait` too.
  switch (attempt.length - 1) {
    case 3:
      return (a: number, b: number, c: number) => {
        const outcome = attempt(wait, a, b, c);
        return outcome === PENDING ? retry(a, b, c) : outcome;
      };
    case 4:
      return (a: number, b: number, c: number, d: number) => {
        const outcome = attempt(wait, a, b, c, d);
        return outcome === PENDING ? retry(a, b, c, d) : outcome;
      };
    case 5:
      return (a: number, b: number, c: number, d: number, e: number) => {
        const outcome = attempt(wait, a, b, c, d, e);
        return outcome === PENDING ? retry(a, b, c, d, e) : outcome;
      };
    default:
      return (a: number, b: number, c: number, d: number, e: number, f: number) => {
        const outcome = attempt(wait, a, b, c, d, e, f);
        return outcome === PENDING ? retry(a, b, c, d, e, f) : outcome;
      };
  }
}
