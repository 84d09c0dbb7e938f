/** The engine's clocks as a workload's. */
import type { Clock } from "@donjon/wasi/capability/clock";

/** The host's clock is followed when it has gone this far from ours. */
const DRIFT_NS = 20_000_000n;

/**
 * Real time runs with the monotonic clock, which counts nanoseconds, and is set again when the host's
 * clock, which shows milliseconds only, has moved away from it. `floorNs`: real time is never earlier than the monotonic
 * clock plus this, whatever the host's clock says.
 */
export function createEngineClock(floorNs: bigint): Clock {
  const monotonic = process.hrtime.bigint;
  let offset = BigInt(Date.now()) * 1_000_000n - monotonic();
  return {
    resolution: 1n,
    monotonic,
    realtime() {
      const now = monotonic();
      const ours = now + offset;
      const floor = now + floorNs;
      const told = BigInt(Date.now()) * 1_000_000n;
      const theirs = told > floor ? told : floor;
      const drift = ours - theirs;
      if (drift < DRIFT_NS && drift > -DRIFT_NS && ours >= floor) return ours;
      offset += theirs - ours;
      return theirs;
    },
    processCpu() {
      const { user, system } = process.cpuUsage();
      return BigInt(user + system) * 1000n;
    },
    threadCpu() {
      const { user, system } = process.threadCpuUsage();
      return BigInt(user + system) * 1000n;
    },
  };
}
