/** Time stamps as a caller chooses them by `fstflags`. */
import type { Clock } from "../capability/clock.ts";
import { FSTFLAGS_ALL, Fstflags } from "./witx.ts";

/** Whether the flags are unknown, or want a time to be both given and "now". */
export function timesConflict(flags: number): boolean {
  return (
    (flags & ~FSTFLAGS_ALL) !== 0 ||
    both(flags, Fstflags.atim | Fstflags.atimNow) ||
    both(flags, Fstflags.mtim | Fstflags.mtimNow)
  );
}

function both(flags: number, mask: number): boolean {
  return (flags & mask) === mask;
}

/** The time to set; `null`: leave it. Times are u64, which wasm passes as i64. */
export function chosenTime(
  clock: Clock,
  flags: number,
  given: number,
  now: number,
  time: bigint,
): bigint | null {
  if ((flags & given) !== 0) return BigInt.asUintN(64, time);
  return (flags & now) !== 0 ? clock.realtime() : null;
}
