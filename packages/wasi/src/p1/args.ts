/** Arguments and environment. None of these functions needs a right. */
import { Errno } from "../errno.ts";
import type { Context } from "./context.ts";
import type { GuestMemory } from "./memory.ts";

export function createArgsFunctions({ memory, args, env }: Context) {
  const argsSize = sizeOf(args);
  const envSize = sizeOf(env);
  return {
    /** `args_get(argv: pointer<pointer<u8>>, argv_buf: pointer<u8>) -> errno` */
    args_get: (argv: number, buffer: number) => putList(memory, args, argsSize, argv, buffer),
    /** `args_sizes_get() -> (size, size, errno)`: the count, and the bytes with their NULs. */
    args_sizes_get: (count: number, size: number) =>
      putSizes(memory, args.length, argsSize, count, size),
    /** `environ_get(environ: pointer<pointer<u8>>, environ_buf: pointer<u8>) -> errno` */
    environ_get: (environ: number, buffer: number) =>
      putList(memory, env, envSize, environ, buffer),
    /** `environ_sizes_get() -> (size, size, errno)`: the count, and the bytes with their NULs. */
    environ_sizes_get: (count: number, size: number) =>
      putSizes(memory, env.length, envSize, count, size),
  };
}

function sizeOf(list: readonly Uint8Array[]): number {
  return list.reduce((size, item) => size + item.length, 0);
}

function putList(
  memory: GuestMemory,
  list: readonly Uint8Array[],
  size: number,
  pointers: number,
  buffer: number,
): number {
  pointers >>>= 0;
  buffer >>>= 0;
  if (!memory.has(pointers, list.length * 4) || !memory.has(buffer, size)) return Errno.fault;
  for (const item of list) {
    memory.setU32(pointers, buffer);
    memory.bytes.set(item, buffer);
    pointers += 4;
    buffer += item.length;
  }
  return Errno.success;
}

function putSizes(
  memory: GuestMemory,
  count: number,
  size: number,
  countAt: number,
  sizeAt: number,
): number {
  countAt >>>= 0;
  sizeAt >>>= 0;
  if (!memory.has(countAt, 4) || !memory.has(sizeAt, 4)) return Errno.fault;
  memory.setU32(countAt, count);
  memory.setU32(sizeAt, size);
  return Errno.success;
}
