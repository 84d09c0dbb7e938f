/** The descriptor table of an instance: small numbers to descriptors, the lowest free number first. */
import type { Wait } from "./attempt.ts";
import { closeDescriptor, type Descriptor } from "./descriptor.ts";

export class DescriptorTable {
  readonly #slots: (Descriptor | undefined)[] = [];
  readonly #limit: number;
  /** No number below it is free. */
  #lowest = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The descriptor of a number as wasm passes it (an i32, of any sign). */
  get(fd: number): Descriptor | undefined {
    return this.#slots[fd];
  }

  /** The same for a call that may have waited; nothing when the number has come to stand for another since. */
  getAgain(fd: number, { held }: Wait): Descriptor | undefined {
    const found = this.#slots[fd];
    return held === null || held === found ? found : undefined;
  }

  get full(): boolean {
    this.#findLowest();
    return this.#lowest >= this.#limit;
  }

  /** Takes a descriptor in; answers its number. The caller has asked `full`. */
  add(descriptor: Descriptor): number {
    this.#findLowest();
    this.#slots[this.#lowest] = descriptor;
    return this.#lowest++;
  }

  /** Takes a number's descriptor out and closes it; `false`: there is none. */
  close(fd: number): boolean {
    const descriptor = this.#slots[fd];
    if (descriptor === undefined) return false;
    this.#free(fd);
    closeDescriptor(descriptor);
    return true;
  }

  /** Moves the descriptor of `from` to `to` and closes what was there; both must be in use. */
  renumber(from: number, to: number): boolean {
    const moved = this.#slots[from];
    const replaced = this.#slots[to];
    if (moved === undefined || replaced === undefined) return false;
    if (from === to) return true;
    this.#free(from);
    this.#slots[to] = moved;
    closeDescriptor(replaced);
    return true;
  }

  closeAll(): void {
    for (let fd = 0; fd < this.#slots.length; fd++) this.close(fd);
  }

  #free(fd: number): void {
    this.#slots[fd] = undefined;
    if (fd < this.#lowest) this.#lowest = fd;
  }

  #findLowest(): void {
    while (this.#slots[this.#lowest] !== undefined) this.#lowest++;
  }
}
