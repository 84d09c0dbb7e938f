/**
 * The little of `node:crypto` that made-up evidence is signed with, for a page: WebCrypto's signatures have to be waited for.
 * For tests alone: nothing here runs in constant time. SHA-2 is FIPS 180-4, ECDSA is FIPS 186-5.
 */

const primes: bigint[] = [];
for (let n = 2n; primes.length < 80; n++) if (primes.every((p) => n % p !== 0n)) primes.push(n);

/** The first 64 bits behind the point of a prime's root. */
function rootBits(prime: bigint, degree: bigint): bigint {
  const wanted = prime << (64n * degree);
  let root = 0n;
  for (let bit = 1n << 68n; bit > 0n; bit >>= 1n) {
    if ((root | bit) ** degree <= wanted) root |= bit;
  }
  return BigInt.asUintN(64, root);
}

const SHA = {
  sha256: {
    bits: 32,
    rounds: 64,
    from: 0,
    out: 32,
    s: [2, 13, 22, 6, 11, 25, 7, 18, 3, 17, 19, 10],
  },
  sha384: {
    bits: 64,
    rounds: 80,
    from: 8,
    out: 48,
    s: [28, 34, 39, 14, 18, 41, 1, 8, 7, 19, 61, 6],
  },
} as const;
type Hash = keyof typeof SHA;
const ROUND_BITS = primes.map((prime) => rootBits(prime, 3n));

export function hash(name: Hash, message: Uint8Array, _encoding?: string): Buffer {
  const { bits, rounds, from, out, s } = SHA[name];
  const width = BigInt(bits);
  const fit = (value: bigint) => BigInt.asUintN(bits, value);
  const turn = (x: bigint, by: number) => fit((x >> BigInt(by)) | (x << (width - BigInt(by))));
  const mix = (x: bigint, at: number) =>
    turn(x, s[at]!) ^ turn(x, s[at + 1]!) ^ turn(x, s[at + 2]!);
  const spread = (x: bigint, at: number) =>
    turn(x, s[at]!) ^ turn(x, s[at + 1]!) ^ (x >> BigInt(s[at + 2]!));
  const short = (value: bigint) => value >> (64n - width);
  const block = bits * 2;
  const padded = new Uint8Array(Math.ceil((message.length + 1 + bits / 4) / block) * block);
  padded.set(message);
  padded[message.length] = 0x80;
  new DataView(padded.buffer).setUint32(padded.length - 4, message.length * 8);
  let state = primes.slice(from, from + 8).map((prime) => short(rootBits(prime, 2n)));
  for (let at = 0; at < padded.length; at += block) {
    const w = Array.from({ length: 16 }, (_, i) =>
      toNumber(padded.subarray(at + (i * bits) / 8, at + ((i + 1) * bits) / 8)),
    );
    for (let i = 16; i < rounds; i++)
      w.push(fit(spread(w[i - 2]!, 9) + w[i - 7]! + spread(w[i - 15]!, 6) + w[i - 16]!));
    let [a, b, c, d, e, f, g, h] = state as [
      bigint,
      bigint,
      bigint,
      bigint,
      bigint,
      bigint,
      bigint,
      bigint,
    ];
    for (let i = 0; i < rounds; i++) {
      const one = h + mix(e, 3) + ((e & f) ^ (~e & g)) + short(ROUND_BITS[i]!) + w[i]!;
      const two = mix(a, 0) + ((a & b) ^ (a & c) ^ (b & c));
      [a, b, c, d, e, f, g, h] = [fit(one + two), a, b, c, fit(d + one), e, f, g];
    }
    state = [a, b, c, d, e, f, g, h].map((value, i) => fit(value + state[i]!));
  }
  return Buffer.from(
    state
      .map((value) => value.toString(16).padStart(bits / 4, "0"))
      .join("")
      .slice(0, out * 2),
    "hex",
  );
}

function toNumber(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
}

/** FIPS 186-5 and SP 800-186: y^2 = x^3 - 3x + b. `head`: what a SubjectPublicKeyInfo has before the point. */
const CURVES = {
  "P-256": {
    size: 32,
    p: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
    n: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
    x: 0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
    y: 0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
    head: "3059301306072a8648ce3d020106082a8648ce3d03010703420004",
  },
  "P-384": {
    size: 48,
    p: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
    n: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
    x: 0xaa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7n,
    y: 0x3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5fn,
    head: "3076301006072a8648ce3d020106052b8104002203620004",
  },
} as const;
type Curve = (typeof CURVES)[keyof typeof CURVES];
type Point = readonly [x: bigint, y: bigint] | null;

function modulo(value: bigint, by: bigint): bigint {
  const rest = value % by;
  return rest < 0n ? rest + by : rest;
}

function invert(value: bigint, by: bigint): bigint {
  let [a, b, x, y] = [modulo(value, by), by, 1n, 0n];
  while (b > 0n) [a, b, x, y] = [b, a % b, y, x - (a / b) * y];
  return modulo(x, by);
}

function add(one: Point, two: Point, { p }: Curve): Point {
  if (one === null || two === null) return one ?? two;
  const [[x1, y1], [x2, y2]] = [one, two];
  if (x1 === x2 && y1 !== y2) return null;
  const slope =
    x1 === x2 ? (3n * x1 * x1 - 3n) * invert(2n * y1, p) : (y2 - y1) * invert(x2 - x1, p);
  const x = modulo(slope * slope - x1 - x2, p);
  return [x, modulo(slope * (x1 - x) - y1, p)];
}

function multiply(curve: Curve, by: bigint): readonly [bigint, bigint] {
  let [sum, power]: [Point, Point] = [null, [curve.x, curve.y]];
  for (let left = by; left > 0n; left >>= 1n) {
    if (left & 1n) sum = add(sum, power, curve);
    power = add(power, power, curve);
  }
  return sum!;
}

const bytesOf = (value: bigint, size: number) =>
  Buffer.from(value.toString(16).padStart(size * 2, "0"), "hex");
const randomScalar = (curve: Curve) =>
  modulo(toNumber(crypto.getRandomValues(new Uint8Array(curve.size))), curve.n - 1n) + 1n;

/** Scalars of the keys that WebCrypto made, since it tells them to who waits only. */
const scalars = new WeakMap<CryptoKey, bigint>();
const subtle = crypto.subtle;
const generateKey = subtle.generateKey.bind(subtle) as (
  ...args: unknown[]
) => Promise<CryptoKeyPair>;
subtle.generateKey = (async (...args: unknown[]) => {
  const pair = await generateKey(...args);
  if (pair.privateKey?.algorithm.name === "ECDSA" && pair.privateKey.extractable) {
    const { d } = await subtle.exportKey("jwk", pair.privateKey);
    scalars.set(
      pair.privateKey,
      toNumber(Buffer.from(d!.replaceAll("-", "+").replaceAll("_", "/"), "base64")),
    );
  }
  return pair;
}) as typeof subtle.generateKey;

export class KeyObject {
  readonly curve: Curve;
  readonly scalar: bigint;

  constructor(curve: Curve, scalar: bigint) {
    this.curve = curve;
    this.scalar = scalar;
  }

  static from(key: CryptoKey): KeyObject {
    const scalar = scalars.get(key);
    if (scalar === undefined)
      throw new TypeError("this page signs with extractable ECDSA keys only");
    return new KeyObject(
      CURVES[(key.algorithm as unknown as { namedCurve: keyof typeof CURVES }).namedCurve],
      scalar,
    );
  }

  /** SubjectPublicKeyInfo, DER. */
  export(): Buffer {
    const { size, head } = this.curve;
    const point = multiply(this.curve, this.scalar);
    return Buffer.concat([Buffer.from(head, "hex"), ...point.map((value) => bytesOf(value, size))]);
  }
}

export function generateKeyPairSync(
  _kind: "ec",
  { namedCurve }: { readonly namedCurve: keyof typeof CURVES },
) {
  const key = new KeyObject(CURVES[namedCurve], randomScalar(CURVES[namedCurve]));
  return { privateKey: key, publicKey: key };
}

/** r and s, each of the curve's size: the hash is never longer than the curve here. */
export function sign(
  name: Hash,
  message: Uint8Array,
  { key }: { readonly key: KeyObject },
): Buffer {
  const { curve, scalar } = key;
  const secret = randomScalar(curve);
  const r = modulo(multiply(curve, secret)[0], curve.n);
  const s = modulo(invert(secret, curve.n) * (toNumber(hash(name, message)) + r * scalar), curve.n);
  return Buffer.concat([bytesOf(r, curve.size), bytesOf(s, curve.size)]);
}

function notInAPage(): never {
  throw new TypeError("private keys are read by node:crypto only, which a page has not");
}
export const createPrivateKey = notInAPage;
export const createPublicKey = notInAPage;
