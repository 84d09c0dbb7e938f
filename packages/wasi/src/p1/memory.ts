import type { WasmMemory } from "./wasm-engine.ts";

/**
 * Linear memory of a guest, seen through views that are renewed when the memory has grown.
 *
 * Every range a guest names is checked once, with `has`, before the first byte of it is touched.
 * `memory.grow` detaches the old buffer (its views get length 0) and growing a shared memory leaves
 * the old views shorter than the memory, so the check that finds bad ranges finds stale views too.
 *
 * Pointers and lengths are unsigned 32-bit numbers (`>>> 0` at the edge): their sums are exact.
 */
export class GuestMemory {
  bytes: Uint8Array = new Uint8Array(0);
  view: DataView = new DataView(this.bytes.buffer);
  #memory: WasmMemory | null = null;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  readonly #encoder = new TextEncoder();

  bind(memory: WasmMemory): void {
    this.#memory = memory;
    this.#refresh();
  }

  /** Whether `pointer..pointer + length` lies inside the memory. */
  has(pointer: number, length: number): boolean {
    return pointer + length <= this.bytes.length || this.#hasNow(pointer + length);
  }

  u16(pointer: number): number {
    return this.view.getUint16(pointer, true);
  }

  u32(pointer: number): number {
    return this.view.getUint32(pointer, true);
  }

  u64(pointer: number): bigint {
    return this.view.getBigUint64(pointer, true);
  }

  setU32(pointer: number, value: number): void {
    this.view.setUint32(pointer, value, true);
  }

  setU64(pointer: number, value: bigint): void {
    this.view.setBigUint64(pointer, value, true);
  }

  /** The UTF-8 string in a range that was checked; `null` when it is not well formed. */
  string(pointer: number, length: number): string | null {
    const bytes = this.bytes.subarray(pointer, pointer + length);
    try {
      // A decoder refuses views of shared memory: another thread could change what it looks at.
      return this.#decoder.decode(bytes.buffer instanceof ArrayBuffer ? bytes : bytes.slice());
    } catch {
      return null;
    }
  }

  /** Puts the first bytes of a string, in UTF-8, into a range that was checked; answers how many. */
  setString(pointer: number, capacity: number, value: string): number {
    const encoded = this.#encoder.encode(value);
    const length = Math.min(encoded.length, capacity);
    this.bytes.set(length === encoded.length ? encoded : encoded.subarray(0, length), pointer);
    return length;
  }

  #hasNow(end: number): boolean {
    this.#refresh();
    return end <= this.bytes.length;
  }

  #refresh(): void {
    const buffer = this.#memory?.buffer;
    if (buffer === undefined || this.bytes.buffer === buffer) return;
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
  }
}
