/** One word of shared memory that says "something may have changed", and another that says who sleeps. */
import type { Waiter } from "@donjon/wasi/capability/stream";

/** Words of `Int32Array` that one doorbell takes. */
export const DOORBELL_WORDS = 2;

const SLEEPS = 1;

export type SharedWords = Int32Array<SharedArrayBuffer>;

/** What a stream does when the other side may have something to do. */
export interface Signal {
  ring(): void;
}

/**
 * A doorbell between two threads. Ringing is one atomic addition while the other side is awake; only
 * a sleeper is notified, because that costs a system call.
 *
 * No wake-up is lost: the sleeper takes the epoch, looks at everything, says that it sleeps, and sleeps
 * only if the epoch is still the same; whoever rings changes the epoch first and looks for sleepers then.
 */
export class Doorbell implements Signal, Waiter {
  readonly #words: SharedWords;
  readonly #at: number;
  readonly #now: () => bigint;

  /** `now`: the monotonic clock of `wait`'s deadline, in nanoseconds. */
  constructor(words: SharedWords, at: number, now: () => bigint = process.hrtime.bigint) {
    this.#words = words;
    this.#at = at;
    this.#now = now;
  }

  epoch(): number {
    return Atomics.load(this.#words, this.#at);
  }

  ring(): void {
    Atomics.add(this.#words, this.#at, 1);
    if (Atomics.load(this.#words, this.#at + SLEEPS) !== 0) Atomics.notify(this.#words, this.#at);
  }

  /** Blocks the thread; see `Waiter.wait`. Not for the thread that serves the gate. */
  wait(seen: number, deadline: bigint | null): void {
    let timeoutMs = Number.POSITIVE_INFINITY;
    if (deadline !== null) {
      timeoutMs = Number(deadline - this.#now()) / 1e6;
      if (timeoutMs <= 0) return;
    }
    Atomics.store(this.#words, this.#at + SLEEPS, 1);
    Atomics.wait(this.#words, this.#at, seen, timeoutMs);
    Atomics.store(this.#words, this.#at + SLEEPS, 0);
  }

  /** Calls `wake` soon after the epoch is no longer `seen`, from the event loop. */
  onceRung(seen: number, wake: () => void): void {
    Atomics.store(this.#words, this.#at + SLEEPS, 1);
    const waiting = Atomics.waitAsync(this.#words, this.#at, seen);
    const awake = (): void => {
      Atomics.store(this.#words, this.#at + SLEEPS, 0);
      wake();
    };
    if (waiting.async) waiting.value.then(awake);
    // Not at once: input and output of the gate come in between, however fast the other side rings.
    else setImmediate(awake);
  }
}

/**
 * Rings once for all that one turn of the event loop has written. TLS hands over records of 16 KiB one by one, each in a
 * call of its own with its own microtasks, and each wake-up of a sleeper costs a system call and a switch of threads.
 */
export class TurnSignal implements Signal {
  readonly #signal: Signal;
  #waiting = false;

  constructor(signal: Signal) {
    this.#signal = signal;
  }

  ring(): void {
    if (this.#waiting) return;
    this.#waiting = true;
    setImmediate(() => {
      this.#waiting = false;
      this.#signal.ring();
    });
  }
}
