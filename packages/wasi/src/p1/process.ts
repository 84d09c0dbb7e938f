/** The process and its scheduling. None of these functions needs a right. */
import { Errno } from "../errno.ts";
import type { Context } from "./context.ts";
import { SIGNAL_MAX } from "./witx.ts";

export function createProcessFunctions({ exit }: Context) {
  return {
    /**
     * `proc_exit(rval: exitcode)`: does not return. The code is a u32 and passes as it is (wasmtime
     * traps from 126 on; `docs/decisions/0010-preview1-answers.md`).
     */
    proc_exit: (code: number): never => exit.raise(code >>> 0),
    /** `proc_raise(sig: signal) -> errno`: `notsup`, as wasmtime; `inval`: no such signal. */
    proc_raise: (signal: number) => (signal >>> 0 > SIGNAL_MAX ? Errno.inval : Errno.notsup),
    /** `sched_yield() -> errno`: threads of a guest are threads of the machine, which share it well. */
    sched_yield: () => Errno.success,
  };
}
