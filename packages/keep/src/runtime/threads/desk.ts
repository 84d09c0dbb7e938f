/**
 * The desk: the thread that holds descriptors and files of a workload with threads, and answers its
 * threads' calls. It runs no code of the workload, so it always has time to answer; the gate thread
 * stays free for the gate. The reasons are in docs/decisions/0022-threads.md.
 */
import { fail, type Outcome, PENDING } from "@donjon/wasi/errno";
import { createWait, type Wait } from "@donjon/wasi/p1/attempt";
import type { Attempts } from "@donjon/wasi/p1/attempts";
import { FUNCTIONS, type FunctionName, THREAD_SPAWN } from "@donjon/wasi/p1/functions";
import type { Doorbell, SharedWords } from "../doorbell.ts";
import { CallSlot, CallState, DESK_FUNCTIONS, RETURNED } from "./call-block.ts";

/** Starts a worker for a thread: its id, its slot, its argument (`null` for the first thread). */
export type SpawnThread = (slot: number, start: { id: number; argument: number } | null) => void;

interface Call {
  readonly attempt: () => Outcome;
  readonly wait: Wait;
}

type AnyFunction = (...args: unknown[]) => Outcome;

export class Desk {
  readonly #attempts: Attempts;
  readonly #bell: Doorbell;
  readonly #slots: readonly CallSlot[];
  readonly #pending: (Call | null)[];
  readonly #spawn: SpawnThread;
  #lastId = 0;
  #returned = false;

  constructor(
    attempts: Attempts,
    bell: Doorbell,
    block: SharedWords,
    slots: number,
    spawn: SpawnThread,
  ) {
    this.#attempts = attempts;
    this.#bell = bell;
    this.#slots = Array.from({ length: slots }, (_, slot) => new CallSlot(block, slot));
    this.#pending = this.#slots.map(() => null);
    this.#spawn = spawn;
  }

  /**
   * Starts the first thread and answers calls until it returns. Throws what ends the workload: the
   * signal of `proc_exit`, or a limit that was reached.
   */
  serve(): void {
    this.#slots[0]!.state = CallState.idle;
    this.#spawn(0, null);
    while (!this.#returned) {
      const seen = this.#bell.epoch();
      let deadline: bigint | null = null;
      for (let slot = 0; slot < this.#slots.length; slot++) {
        const until = this.#turn(slot);
        if (until !== undefined && until !== null && (deadline === null || until < deadline)) {
          deadline = until;
        }
      }
      if (!this.#returned) this.#bell.wait(seen, deadline);
    }
  }

  /** One attempt for one slot; answers until when its call can wait, `undefined` when none waits. */
  #turn(slot: number): bigint | null | undefined {
    const calls = this.#slots[slot]!;
    if (calls.state !== CallState.calling) return undefined;
    this.#pending[slot] ??= this.#openCall(calls);
    const { attempt, wait } = this.#pending[slot]!;
    const outcome = attempt();
    if (outcome === PENDING) return wait.deadline;
    this.#pending[slot] = null;
    calls.answer(outcome);
    return undefined;
  }

  #openCall(calls: CallSlot): Call {
    const { fn, values } = calls.takeCall(paramsOf);
    const name = DESK_FUNCTIONS[fn];
    const wait = createWait();
    if (name === THREAD_SPAWN) return { wait, attempt: () => this.#startThread(Number(values[0])) };
    if (name === RETURNED) return { wait, attempt: () => this.#return() };
    const waiting = this.#attempts.waiting.get(name as FunctionName) as AnyFunction | undefined;
    if (waiting !== undefined) return { wait, attempt: () => waiting(wait, ...values) };
    const quick = this.#attempts.quick.get(name as FunctionName) as AnyFunction | undefined;
    return { wait, attempt: () => quick?.(...values) ?? fail("nosys") };
  }

  #return(): Outcome {
    this.#returned = true;
    return 0;
  }

  /** `-again` when all threads that the workload may have are in use, as `pthread_create` expects. */
  #startThread(argument: number): Outcome {
    const slot = this.#slots.findIndex((one) => one.state === CallState.free);
    if (slot === -1 || this.#lastId >= MAX_THREAD_ID) return fail("again");
    this.#slots[slot]!.state = CallState.idle;
    const id = ++this.#lastId;
    this.#spawn(slot, { id, argument });
    return id;
  }
}

/** Thread ids of the proposal go from 1 to 2^29 - 1. */
const MAX_THREAD_ID = 2 ** 29 - 1;

function paramsOf(fn: number): string {
  const name = DESK_FUNCTIONS[fn];
  if (name === THREAD_SPAWN) return "i";
  return FUNCTIONS[name as FunctionName]?.params ?? "";
}
