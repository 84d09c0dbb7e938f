/**
 * Imports that suspend the stack of the guest while they wait (JavaScript Promise Integration):
 * only those functions are `Suspending` that may have to wait, because that costs about 90 ns a call.
 * The guest's entry must be called through `createPromising`.
 */
import type { AsyncWaiter } from "../../capability/stream.ts";
import { type Outcome, PENDING } from "../../errno.ts";
import { createWait, type Wait, type WaitingAttempt } from "../attempt.ts";
import type { Attempts } from "../attempts.ts";
import { wasmEngine } from "../wasm-engine.ts";

export type AsyncFunction = (...args: number[]) => Promise<unknown>;

/** Whether this engine has JSPI. */
export function hasJspi(): boolean {
  return wasmEngine.Suspending !== undefined && wasmEngine.promising !== undefined;
}

export function createJspiImports(
  { quick, waiting }: Attempts,
  waiter: AsyncWaiter,
): Record<string, unknown> {
  const { Suspending } = wasmEngine;
  if (Suspending === undefined) throw new TypeError("Expected an engine with JSPI");
  const imports: Record<string, unknown> = Object.fromEntries(quick);
  for (const [name, attempt] of waiting) {
    imports[name] = new Suspending(createSuspending(attempt, waiter));
  }
  return imports;
}

/** An exported function as one that answers a promise and may be suspended. */
export function createPromising(exported: (...args: number[]) => unknown): AsyncFunction {
  if (wasmEngine.promising === undefined) throw new TypeError("Expected an engine with JSPI");
  return wasmEngine.promising(exported);
}

function createSuspending(
  attempt: WaitingAttempt,
  waiter: AsyncWaiter,
): (...args: number[]) => Outcome | Promise<Outcome> {
  // Several calls can be suspended at once, so the `Wait` of one that waits is its own.
  let spare = createWait();
  return (...args) => {
    const wait = spare;
    const epoch = waiter.epoch();
    const outcome = attempt(wait, ...args);
    if (outcome !== PENDING) return outcome;
    spare = createWait();
    return retry(attempt, wait, epoch, waiter, args);
  };
}

async function retry(
  attempt: WaitingAttempt,
  wait: Wait,
  seen: number,
  waiter: AsyncWaiter,
  args: readonly number[],
): Promise<Outcome> {
  let epoch = seen;
  for (;;) {
    await waiter.wait(epoch, wait.deadline);
    epoch = waiter.epoch();
    const outcome = attempt(wait, ...args);
    if (outcome !== PENDING) return outcome;
  }
}
