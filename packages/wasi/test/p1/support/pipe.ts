/** A bounded pipe in memory, for tests of streams. */
import { HUNG_UP, type InputStream, type OutputStream } from "../../../src/capability/stream.ts";
import { fail, PENDING } from "../../../src/errno.ts";

export interface Pipe {
  readonly input: InputStream;
  readonly output: OutputStream;
  /** Bytes in the pipe. */
  content(): string;
  /** Takes bytes out as a reader would. */
  drain(length: number): string;
  fill(text: string): void;
  end(): void;
}

export function createPipe(capacity = 8): Pipe {
  let bytes: number[] = [];
  let ended = false;
  let readerGone = false;
  const take = (length: number, keep: boolean, memory: Uint8Array, offset: number) => {
    if (length === 0) return 0;
    if (bytes.length === 0) return ended ? 0 : PENDING;
    const taken = bytes.slice(0, length);
    memory.set(taken, offset);
    if (!keep) bytes = bytes.slice(taken.length);
    return taken.length;
  };
  return {
    input: {
      read: (memory, offset, length) => take(length, false, memory, offset),
      peek: (memory, offset, length) => take(length, true, memory, offset),
      ready: () => bytes.length || (ended ? HUNG_UP : 0),
      close: () => {
        readerGone = true;
      },
    },
    output: {
      write(memory, offset, length) {
        if (readerGone) return fail("pipe");
        const count = Math.min(length, capacity - bytes.length);
        if (count === 0) return length === 0 ? 0 : PENDING;
        bytes.push(...memory.subarray(offset, offset + count));
        return count;
      },
      ready: () => (readerGone ? HUNG_UP : capacity - bytes.length),
      close: () => {
        ended = true;
      },
    },
    content: () => String.fromCharCode(...bytes),
    drain(length) {
      const text = String.fromCharCode(...bytes.slice(0, length));
      bytes = bytes.slice(length);
      return text;
    },
    fill: (text) => bytes.push(...new TextEncoder().encode(text)),
    end: () => {
      ended = true;
    },
  };
}
