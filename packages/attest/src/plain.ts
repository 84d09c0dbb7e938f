import { encodeHex } from "@donjon/core/hex";

/** JSON values. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [name: string]: Json };

/** What `plainClaims` makes of a type: byte strings become hexadecimal, dates RFC 3339, absent values `null`. */
export type Plain<T> = T extends Uint8Array | Date | bigint
  ? string
  : T extends undefined
    ? null
    : T extends readonly (infer Item)[]
      ? readonly Plain<Item>[]
      : T extends object
        ? { readonly [Name in keyof T]: Plain<T[Name]> }
        : T;

/** Claims as JSON values. Byte strings become lower-case hexadecimal, dates RFC 3339, 64-bit numbers hexadecimal. */
export function plainClaims<T>(claims: T): Plain<T> {
  return toJson(claims) as Plain<T>;
}

function toJson(value: unknown): Json {
  if (value === undefined || value === null) return null;
  if (value instanceof Uint8Array) return encodeHex(value);
  if (value instanceof Date) return value.toISOString();
  if (typeof value === "bigint") return value.toString(16);
  if (Array.isArray(value)) return value.map(toJson);
  if (value instanceof Map)
    return Object.fromEntries([...value].map(([name, item]) => [String(name), toJson(item)]));
  if (typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, toJson(item)]));
  }
  return value as Json;
}
