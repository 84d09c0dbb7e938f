/** Makes inputs out of seeds: bits, octets, splices, lengths. The same seed gives the same inputs. */
export interface Mutator {
  next(seeds: readonly Uint8Array[]): Uint8Array;
}

/** Most changes to one input; few changes get deep, many look at the edges. */
const MAX_CHANGES = 8;
const MAX_INPUT_BYTES = 1 << 18;
/** Values that lengths, versions and tags go wrong with. */
const ODD_OCTETS = [0, 1, 0x7f, 0x80, 0x81, 0x82, 0x84, 0xff, 0x30, 0x22, 0x7b, 0x2d];
const ODD_WORDS = [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff, 0x10_000, 0xffff];

type Change = (bytes: Uint8Array, random: Random, seeds: readonly Uint8Array[]) => Uint8Array;
/** A whole number from 0, below `limit`. */
type Random = (limit: number) => number;

export function createMutator(seed: number): Mutator {
  const random = createRandom(seed);
  return {
    next: (seeds) => {
      let bytes: Uint8Array = pick(seeds, random).slice();
      for (let left = 1 + random(MAX_CHANGES); left > 0; left--)
        bytes = pick(CHANGES, random)(bytes, random, seeds).subarray(0, MAX_INPUT_BYTES);
      return bytes;
    },
  };
}

const CHANGES: readonly Change[] = [
  flipBit,
  flipBit,
  setOctet,
  setOctet,
  setWord,
  cut,
  extend,
  remove,
  repeat,
  splice,
  changeDigit,
];

function flipBit(bytes: Uint8Array, random: Random): Uint8Array {
  if (bytes.length > 0) bytes[random(bytes.length)]! ^= 1 << random(8);
  return bytes;
}

function setOctet(bytes: Uint8Array, random: Random): Uint8Array {
  const value = random(2) === 0 ? pick(ODD_OCTETS, random) : random(256);
  if (bytes.length > 0) bytes[random(bytes.length)] = value;
  return bytes;
}

/** Lengths of the formats are words in either order, at any place. */
function setWord(bytes: Uint8Array, random: Random): Uint8Array {
  if (bytes.length < 4) return bytes;
  const at = random(bytes.length - 3);
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(
    at,
    pick(ODD_WORDS, random),
    random(2) === 0,
  );
  return bytes;
}

function cut(bytes: Uint8Array, random: Random): Uint8Array {
  return bytes.subarray(0, random(bytes.length + 1));
}

function extend(bytes: Uint8Array, random: Random): Uint8Array {
  const more = new Uint8Array(1 + random(64)).map(() => random(256));
  return join(bytes, random(4) === 0 ? new Uint8Array(random(4096)) : more);
}

function remove(bytes: Uint8Array, random: Random): Uint8Array {
  const from = random(bytes.length + 1);
  return join(bytes.subarray(0, from), bytes.subarray(from + random(64)));
}

function repeat(bytes: Uint8Array, random: Random): Uint8Array {
  const from = random(bytes.length + 1);
  const part = bytes.subarray(from, from + random(256));
  return join(bytes.subarray(0, from), part, part, bytes.subarray(from));
}

function splice(bytes: Uint8Array, random: Random, seeds: readonly Uint8Array[]): Uint8Array {
  const other = pick(seeds, random);
  const from = random(other.length + 1);
  const part = other.subarray(from, from + random(512));
  const at = random(bytes.length + 1);
  const after = random(2) === 0 ? at + part.length : at;
  return join(bytes.subarray(0, at), part, bytes.subarray(after));
}

/** Text formats keep their form when only digits change. */
function changeDigit(bytes: Uint8Array, random: Random): Uint8Array {
  const start = random(bytes.length + 1);
  const at = bytes.findIndex((octet, index) => index >= start && octet >= 0x30 && octet <= 0x39);
  if (at >= 0) bytes[at] = 0x30 + random(10);
  return bytes;
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function pick<T>(items: readonly T[], random: Random): T {
  return items[random(items.length)]!;
}

/** Mulberry32 (Tommy Ettinger, public domain): small, and the same everywhere. */
function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % Math.max(1, limit);
  };
}
