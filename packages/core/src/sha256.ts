/**
 * SHA-256 (FIPS 180-4) of small inputs, without the engine's cryptographic library: loading that takes longer than
 * hashing a manifest or a small module here. No branch and no table index depends on
 * the data. For large inputs the engine's own is faster by far.
 */
import { encodeHex } from "./hex.ts";

/** Up to this many bytes `hashSmall` is faster than loading the engine's library. */
export const SMALL_BYTES = 64 << 10;

type EightWords = [number, number, number, number, number, number, number, number];

const BLOCK_BYTES = 64;
const LENGTH_BYTES = 8;

/** FIPS 180-4, 4.2.2 and 5.3.3: the first 32 bits of the fractional parts of roots of the first primes. */
const PRIMES = listPrimes(64);
const ROUND_CONSTANTS = Int32Array.from(PRIMES, (prime) => takeFraction(Math.cbrt(prime)));
const INITIAL_HASH = Int32Array.from(PRIMES.slice(0, 8), (prime) => takeFraction(Math.sqrt(prime)));

function listPrimes(count: number): number[] {
  const primes: number[] = [];
  for (let n = 2; primes.length < count; n++) {
    if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  }
  return primes;
}

function takeFraction(root: number): number {
  return ((root % 1) * 2 ** 32) | 0;
}

/** The digest in lower-case hex. Throws `RangeError` above `SMALL_BYTES`. */
export function hashSmall(bytes: Uint8Array): string {
  if (bytes.length > SMALL_BYTES) throw new RangeError("too many bytes for the small SHA-256");
  const hash = INITIAL_HASH.slice();
  const schedule = new Int32Array(64);
  const whole = bytes.length - (bytes.length % BLOCK_BYTES);
  for (let at = 0; at < whole; at += BLOCK_BYTES) takeBlock(hash, schedule, bytes, at);
  const tail = pad(bytes.subarray(whole), bytes.length);
  for (let at = 0; at < tail.length; at += BLOCK_BYTES) takeBlock(hash, schedule, tail, at);
  const digest = new DataView(new ArrayBuffer(32));
  for (let i = 0; i < 8; i++) digest.setInt32(i * 4, hash[i]!);
  return encodeHex(new Uint8Array(digest.buffer));
}

/** FIPS 180-4, 5.1.1: a one bit, zeros, and the length in bits. */
function pad(rest: Uint8Array, length: number): Uint8Array {
  const fits = rest.length < BLOCK_BYTES - LENGTH_BYTES;
  const tail = new Uint8Array(fits ? BLOCK_BYTES : 2 * BLOCK_BYTES);
  tail.set(rest);
  tail[rest.length] = 0x80;
  new DataView(tail.buffer).setUint32(tail.length - 4, length * 8);
  return tail;
}

/** FIPS 180-4, 6.2.2. */
function takeBlock(hash: Int32Array, w: Int32Array, bytes: Uint8Array, at: number): void {
  for (let t = 0; t < 16; t++) {
    const i = at + t * 4;
    w[t] = (bytes[i]! << 24) | (bytes[i + 1]! << 16) | (bytes[i + 2]! << 8) | bytes[i + 3]!;
  }
  for (let t = 16; t < 64; t++) {
    const x = w[t - 15]!;
    const y = w[t - 2]!;
    const s0 = rotate(x, 7) ^ rotate(x, 18) ^ (x >>> 3);
    const s1 = rotate(y, 17) ^ rotate(y, 19) ^ (y >>> 10);
    w[t] = w[t - 16]! + s0 + w[t - 7]! + s1;
  }
  let [a, b, c, d, e, f, g, h] = hash as unknown as EightWords;
  for (let t = 0; t < 64; t++) {
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + ROUND_CONSTANTS[t]! + w[t]!) | 0;
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  [a, b, c, d, e, f, g, h].forEach((word, i) => {
    hash[i] = hash[i]! + word;
  });
}

function rotate(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits));
}
