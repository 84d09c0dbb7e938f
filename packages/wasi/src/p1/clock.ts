/** Clocks. None of these functions needs a right. */
import { Errno } from "../errno.ts";
import type { Context } from "./context.ts";
import { ClockId } from "./witx.ts";

export function createClockFunctions({ memory, clock }: Context) {
  /** `clock_res_get(id: clockid) -> (timestamp, errno)`; `inval`: no such clock. */
  function clock_res_get(id: number, result: number): number {
    if (id >>> 0 > ClockId.threadCputimeId) return Errno.inval;
    result >>>= 0;
    if (!memory.has(result, 8)) return Errno.fault;
    memory.setU64(result, clock.resolution);
    return Errno.success;
  }

  /**
   * `clock_time_get(id: clockid, precision: timestamp) -> (timestamp, errno)`; `inval`: no such
   * clock. The precision is a hint that no engine uses.
   */
  function clock_time_get(id: number, _precision: bigint, result: number): number {
    if (id >>> 0 > ClockId.threadCputimeId) return Errno.inval;
    result >>>= 0;
    if (!memory.has(result, 8)) return Errno.fault;
    memory.setU64(result, read(id));
    return Errno.success;
  }

  function read(id: number): bigint {
    switch (id) {
      case ClockId.realtime:
        return clock.realtime();
      case ClockId.monotonic:
        return clock.monotonic();
      case ClockId.processCputimeId:
        return clock.processCpu();
      default:
        return clock.threadCpu();
    }
  }

  return { clock_res_get, clock_time_get };
}
