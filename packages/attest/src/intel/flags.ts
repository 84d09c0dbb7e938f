import { type BitLayout, type DecodedBits, decodeBits } from "@donjon/core/bits";

/** A 64-bit field that Intel's structures keep as octets, little-endian. */
export function readFlags(octets: Uint8Array): bigint {
  return new DataView(octets.buffer, octets.byteOffset).getBigUint64(0, true);
}

export function decodeFlags<L extends BitLayout>(layout: L, octets: Uint8Array): DecodedBits<L> {
  return decodeBits(layout, readFlags(octets));
}
