/**
 * ECDSA signatures: X.509 writes DER, WebCrypto and quotes want r and s side by side.
 *
 * Source: RFC 3279 section 2.2.3 (Ecdsa-Sig-Value), IEEE P1363.
 */
import { DER_TAG, openDer } from "./der.ts";
import { DonjonError } from "./errors.ts";

/** `SEQUENCE { r INTEGER, s INTEGER }` to r and s of `size` bytes each. Throws `bytes/*`. */
export function parseEcdsaSignature(der: Uint8Array, size: 32 | 48): Uint8Array {
  const reader = openDer(der, DER_TAG.sequence, "ECDSA signature", 2 * size + 16);
  const raw = new Uint8Array(2 * size);
  for (const end of [size, 2 * size]) {
    const value = reader.readInteger("ECDSA signature");
    const magnitude = value[0] === 0 ? value.subarray(1) : value;
    if (value[0]! >= 0x80 || magnitude.length > size) {
      throw new DonjonError("bytes/invalid", `ECDSA signature has a number beyond ${size} bytes`);
    }
    raw.set(magnitude, end - magnitude.length);
  }
  reader.end("ECDSA signature");
  return raw;
}
