/** A rate of octets, with a second's worth in reserve. Time is given, so that tests need none. */
export class TokenBucket {
  readonly #bytesPerS: number;
  #tokens: number;
  #at: number;

  /** @param nowMs monotonic */
  constructor(bytesPerS: number, nowMs: number) {
    this.#bytesPerS = bytesPerS;
    this.#tokens = bytesPerS;
    this.#at = nowMs;
  }

  /**
   * Takes `bytes`, which may be more than there are. Answers how many milliseconds the taker has to wait before it goes
   * on; 0: none.
   */
  take(bytes: number, nowMs: number): number {
    const gained = ((nowMs - this.#at) * this.#bytesPerS) / 1000;
    this.#tokens = Math.min(this.#bytesPerS, this.#tokens + gained) - bytes;
    this.#at = nowMs;
    return this.#tokens >= 0 ? 0 : Math.ceil((-this.#tokens * 1000) / this.#bytesPerS);
  }
}
