/** Fills `memory[offset..offset+length]` with bytes fit for keys. The range has been checked. */
export interface Random {
  fill(memory: Uint8Array, offset: number, length: number): void;
}

/** Bytes that WebCrypto's `getRandomValues` gives at once at most, and the size of the pool. */
export const POOL_BYTES = 65_536;
/** From here on one call of the source costs less than going through the pool by hand. */
const BY_HAND_BYTES = 128;

/**
 * Random bytes through a pool, because a call of the source costs far more than 16 bytes are worth.
 * Bytes are wiped from the pool when they are given out, so that none is ever given twice and a
 * later look into memory finds nothing of what was.
 *
 * @param source Fills an array of at most `POOL_BYTES` on an unshared buffer, as `getRandomValues`.
 */
export function createPooledRandom(source: (bytes: Uint8Array<ArrayBuffer>) => unknown): Random {
  const pool = new Uint8Array(POOL_BYTES);
  let next = POOL_BYTES;

  function fillByHand(memory: Uint8Array, offset: number, length: number): void {
    if (next + length > POOL_BYTES) {
      source(pool);
      next = 0;
    }
    const from = next;
    next += length;
    for (let index = 0; index < length; index++) {
      memory[offset + index] = pool[from + index]!;
      pool[from + index] = 0;
    }
  }

  return {
    fill(memory, offset, length) {
      if (length <= BY_HAND_BYTES) return fillByHand(memory, offset, length);
      // A guest's memory can be shared, which the source refuses; so the pool stands between.
      for (let done = 0; done < length; done += POOL_BYTES) {
        const bytes = pool.subarray(0, Math.min(POOL_BYTES, length - done));
        source(bytes);
        memory.set(bytes, offset + done);
        bytes.fill(0);
      }
      next = POOL_BYTES;
    },
  };
}
