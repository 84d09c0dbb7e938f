import { DonjonError } from "./errors.ts";

/** RFC 4648 section 4, with padding. */
const STANDARD = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/** RFC 4648 section 5, without padding. */
const URL_SAFE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** In place of a value, for characters outside the alphabet. */
const FOREIGN = 255;
const STANDARD_VALUES = /* @__PURE__ */ valuesOf(STANDARD);
const URL_SAFE_VALUES = /* @__PURE__ */ valuesOf(URL_SAFE);

function valuesOf(alphabet: string): Uint8Array {
  const values = new Uint8Array(128).fill(FOREIGN);
  for (let value = 0; value < alphabet.length; value++) values[alphabet.charCodeAt(value)] = value;
  return values;
}

export function encodeBase64(bytes: Uint8Array): string {
  const text = encode(bytes, STANDARD);
  return text + "=".repeat((4 - (text.length % 4)) % 4);
}

export function encodeBase64Url(bytes: Uint8Array): string {
  return encode(bytes, URL_SAFE);
}

/**
 * Strict: padding as RFC 4648 asks, no white space, unused bits zero.
 * @throws DonjonError `bytes/invalid`
 */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  if (text.length % 4 !== 0)
    throw invalid("base64", `${text.length} characters`, "a multiple of 4");
  return decode(text.slice(0, text.length - padding), STANDARD, "base64");
}

/**
 * Strict: no padding, no white space, unused bits zero.
 * @throws DonjonError `bytes/invalid`
 */
export function decodeBase64Url(text: string): Uint8Array<ArrayBuffer> {
  return decode(text, URL_SAFE, "base64url");
}

function encode(bytes: Uint8Array, alphabet: string): string {
  let text = "";
  let bits = 0;
  let count = 0;
  for (const octet of bytes) {
    bits = (bits << 8) | octet;
    count += 8;
    while (count >= 6) {
      count -= 6;
      text += alphabet[(bits >>> count) & 63];
    }
    bits &= (1 << count) - 1;
  }
  return count === 0 ? text : text + alphabet[(bits << (6 - count)) & 63];
}

function decode(text: string, alphabet: string, name: string): Uint8Array<ArrayBuffer> {
  if (text.length % 4 === 1) throw invalid(name, `${text.length} characters`, "whole octets");
  const values = alphabet === STANDARD ? STANDARD_VALUES : URL_SAFE_VALUES;
  const bytes = new Uint8Array(Math.floor((text.length * 6) / 8));
  let bits = 0;
  let count = 0;
  let at = 0;
  for (let i = 0; i < text.length; i++) {
    const value = values[text.charCodeAt(i)] ?? FOREIGN;
    if (value === FOREIGN)
      throw invalid(name, `a foreign character at position ${i}`, "its alphabet only");
    bits = (bits << 6) | value;
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes[at++] = bits >>> count;
      bits &= (1 << count) - 1;
    }
  }
  if (bits !== 0) throw invalid(name, "bits after the last octet", "zero there");
  return bytes;
}

function invalid(name: string, found: string, wanted: string): DonjonError {
  return new DonjonError("bytes/invalid", `Cannot read ${name}: found ${found}, wanted ${wanted}`);
}
