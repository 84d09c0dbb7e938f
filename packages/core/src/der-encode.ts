/** The few DER encoders that a self-signed certificate needs (X.690, section 10). */

export function encodeDer(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const length = contents.reduce((sum, each) => sum + each.length, 0);
  const header = [tag, ...encodeLength(length)];
  const bytes = new Uint8Array(header.length + length);
  bytes.set(header);
  let at = header.length;
  for (const content of contents) {
    bytes.set(content, at);
    at += content.length;
  }
  return bytes;
}

function encodeLength(length: number): number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [0x80 | bytes.length, ...bytes];
}

export function encodeSequence(...contents: readonly Uint8Array[]): Uint8Array {
  return encodeDer(0x30, ...contents);
}

/** A non-negative INTEGER from big-endian octets. */
export function encodeInteger(bytes: Uint8Array): Uint8Array {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1;
  const magnitude = bytes.subarray(start);
  const sign = (magnitude[0] ?? 0) >= 0x80 ? Uint8Array.of(0) : new Uint8Array(0);
  return encodeDer(0x02, sign, magnitude);
}

/** An OBJECT IDENTIFIER from its dotted form. */
export function encodeOid(dotted: string): Uint8Array {
  const [first, second, ...rest] = dotted.split(".").map(Number);
  const arcs = [first! * 40 + second!, ...rest];
  return encodeDer(0x06, Uint8Array.from(arcs.flatMap(encodeArc)));
}

function encodeArc(arc: number): number[] {
  const bytes = [arc % 128];
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) {
    bytes.unshift(0x80 | (rest % 128));
  }
  return bytes;
}

/** Octets of a text of ASCII. */
export function asciiBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** A UTF8String of ASCII. */
export function encodeUtf8String(ascii: string): Uint8Array {
  return encodeDer(0x0c, asciiBytes(ascii));
}

/** A BIT STRING without unused bits, or with the given number of them. */
export function encodeBitString(bytes: Uint8Array, unusedBits = 0): Uint8Array {
  return encodeDer(0x03, Uint8Array.of(unusedBits), bytes);
}

export function encodeOctetString(bytes: Uint8Array): Uint8Array {
  return encodeDer(0x04, bytes);
}

export function encodeBoolean(value: boolean): Uint8Array {
  return encodeDer(0x01, Uint8Array.of(value ? 0xff : 0));
}

/** UTCTime until 2049, GeneralizedTime from then on (RFC 5280, section 4.1.2.5). */
export function encodeTime(date: Date): Uint8Array {
  const digits = date
    .toISOString()
    .replace(/\.\d+Z$/, "Z")
    .replace(/[-:T]/g, "");
  const short = date.getUTCFullYear() < 2050;
  return encodeDer(short ? 0x17 : 0x18, asciiBytes(short ? digits.slice(2) : digits));
}
