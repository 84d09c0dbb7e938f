/** Small operations on byte strings. Nothing here is secret, so nothing here is constant-time. */

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

export function isZero(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== 0) return false;
  return true;
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** A copy with the octets in the opposite order: AMD writes big numbers little-endian, WebCrypto reads them big-endian. */
export function reverseBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes).reverse();
}

/** Octets given to one call of `String.fromCharCode`: engines bound the number of arguments. */
const CHUNK_BYTES = 4096;

/** A string that is different for every byte string, for use as a `Map` key. */
export function bytesKey(bytes: Uint8Array): string {
  let key = "";
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    // `apply` takes the view as it is; spreading it would walk it octet by octet, nine times slower.
    key += String.fromCharCode.apply(
      null,
      bytes.subarray(at, at + CHUNK_BYTES) as unknown as number[],
    );
  }
  return key;
}
