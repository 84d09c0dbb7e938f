/** How workers wake the gate thread, and tell it which streams to look at. */
import { CONTROL_WORDS, DIRTY, GATE_BELL, MAX_STREAMS } from "./control.ts";
import { Doorbell, type SharedWords, type Signal } from "./doorbell.ts";

/** Worker side: marks stream `index` and wakes the gate thread. */
export class StreamSignal implements Signal {
  readonly #words: SharedWords;
  readonly #bell: Doorbell;
  readonly #word: number;
  readonly #bit: number;

  constructor(words: SharedWords, index: number) {
    this.#words = words;
    this.#bell = new Doorbell(words, GATE_BELL);
    this.#word = DIRTY + (index >>> 5);
    this.#bit = 1 << (index & 31);
  }

  ring(): void {
    Atomics.or(this.#words, this.#word, this.#bit);
    this.#bell.ring();
  }
}

/** Gate side: calls the handler of each stream that was marked. */
export class GateBell {
  readonly #words: SharedWords;
  readonly #bell: Doorbell;
  readonly #handlers: ((() => void) | undefined)[] = [];
  readonly #free: number[] = [];
  #closed = false;

  constructor(words: SharedWords) {
    if (words.length < CONTROL_WORDS) throw new RangeError("the control words are too few");
    this.#words = words;
    this.#bell = new Doorbell(words, GATE_BELL);
    this.#arm();
  }

  /** The index of a new stream, or -1 when there are `MAX_STREAMS`. */
  add(handler: () => void): number {
    const index = this.#free.pop() ?? this.#handlers.length;
    if (index >= MAX_STREAMS) return -1;
    this.#handlers[index] = handler;
    return index;
  }

  remove(index: number): void {
    if (this.#handlers[index] === undefined) return;
    this.#handlers[index] = undefined;
    this.#free.push(index);
  }

  /** No handler is called any more. */
  close(): void {
    this.#closed = true;
    this.#handlers.length = 0;
    this.#bell.ring();
  }

  #arm(): void {
    this.#bell.onceRung(this.#bell.epoch(), this.#answer);
  }

  readonly #answer = (): void => {
    if (this.#closed) return;
    const seen = this.#bell.epoch();
    const words = (this.#handlers.length + 31) >>> 5;
    for (let word = 0; word < words; word++) {
      let bits = Atomics.exchange(this.#words, DIRTY + word, 0);
      while (bits !== 0) {
        const bit = 31 - Math.clz32(bits);
        bits &= ~(1 << bit);
        this.#handlers[word * 32 + bit]?.();
      }
    }
    if (!this.#closed) this.#bell.onceRung(seen, this.#answer);
  };
}
