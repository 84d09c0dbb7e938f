/** Random bytes. Needs no right. */
import { Errno } from "../errno.ts";
import type { Context } from "./context.ts";

export function createRandomFunctions({ memory, random }: Context) {
  /** `random_get(buf: pointer<u8>, buf_len: size) -> errno`; bytes fit for keys. */
  function random_get(buffer: number, length: number): number {
    buffer >>>= 0;
    length >>>= 0;
    if (!memory.has(buffer, length)) return Errno.fault;
    random.fill(memory.bytes, buffer, length);
    return Errno.success;
  }

  return { random_get };
}
