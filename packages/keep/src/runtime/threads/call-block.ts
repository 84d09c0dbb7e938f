/**
 * Calls between the threads of a workload and the desk, in shared memory: one slot per thread, one call
 * at a time in each.
 */

import type { CoreValue } from "@donjon/wasi/p1/attempt";
import { FUNCTION_NAMES, THREAD_SPAWN } from "@donjon/wasi/p1/functions";
import type { SharedWords, Signal } from "../doorbell.ts";

/** What a thread can ask of the desk, by index; the last says that the program's entry has returned. */
export const RETURNED = "returned";
export const DESK_FUNCTIONS: readonly string[] = [...FUNCTION_NAMES, THREAD_SPAWN, RETURNED];

/** Bytes of one slot: two cache lines. */
const SLOT_BYTES = 128;
const SLOT_WORDS = SLOT_BYTES / 4;
// Words of a slot.
const STATE = 0;
const FUNCTION = 1;
const RESULT = 2;
const FIRST_ARGUMENT_BYTES = 16;
/** More than any function of preview 1 takes. */
const MAX_ARGUMENTS = 10;

export const CallState = { free: 0, idle: 1, calling: 2 } as const;

export function createCallBlock(slots: number): SharedWords {
  return new Int32Array(new SharedArrayBuffer(slots * SLOT_BYTES));
}

/** One slot, from either side. */
export class CallSlot {
  readonly #words: SharedWords;
  readonly #arguments: BigInt64Array;
  readonly #at: number;

  constructor(block: SharedWords, slot: number) {
    this.#words = block;
    this.#at = slot * SLOT_WORDS;
    const offset = slot * SLOT_BYTES + FIRST_ARGUMENT_BYTES;
    this.#arguments = new BigInt64Array(block.buffer, offset, MAX_ARGUMENTS);
  }

  get state(): number {
    return Atomics.load(this.#words, this.#at + STATE);
  }

  set state(state: number) {
    Atomics.store(this.#words, this.#at + STATE, state);
  }

  /** Thread side: asks and waits for the answer. i64 arguments are bigint. */
  call(fn: number, values: readonly CoreValue[], desk: Signal): number {
    for (let i = 0; i < values.length; i++) this.#arguments[i] = BigInt(values[i]!);
    this.#words[this.#at + FUNCTION] = fn;
    this.state = CallState.calling;
    desk.ring();
    while (this.state === CallState.calling) {
      Atomics.wait(this.#words, this.#at + STATE, CallState.calling);
    }
    return this.#words[this.#at + RESULT]!;
  }

  /** Desk side: the call that waits for an answer; `params` as in `FunctionEntry`. */
  takeCall(paramsOf: (fn: number) => string): { fn: number; values: CoreValue[] } {
    const fn = this.#words[this.#at + FUNCTION]!;
    const params = paramsOf(fn);
    const values = Array.from(params, (type, i) =>
      type === "I" ? this.#arguments[i]! : Number(this.#arguments[i]!),
    );
    return { fn, values };
  }

  /** Desk side. */
  answer(result: number): void {
    this.#words[this.#at + RESULT] = result;
    this.state = CallState.idle;
    Atomics.notify(this.#words, this.#at + STATE);
  }
}
