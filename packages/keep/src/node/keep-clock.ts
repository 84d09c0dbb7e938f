/**
 * The Keep's time. The host's clock is a claim: what an authenticated client said is a lower bound for it, which moves
 * on with the engine's monotonic clock.
 */
export interface KeepClock {
  /** Real time, nanoseconds since 1970, is at least the monotonic clock's plus this. */
  readonly floorNs: bigint;
  /** Milliseconds since 1970: the host's clock, but never earlier than what was learned. */
  now(): number;
  /** An authenticated client's clock. */
  learn(timeMs: number): void;
}

export function createKeepClock(): KeepClock {
  const monotonic = process.hrtime.bigint;
  let floorNs = -monotonic();
  return {
    get floorNs() {
      return floorNs;
    },
    now: () => Math.max(Date.now(), Number((monotonic() + floorNs) / 1_000_000n)),
    learn(timeMs) {
      const told = BigInt(timeMs) * 1_000_000n - monotonic();
      if (told > floorNs) floorNs = told;
    },
  };
}
