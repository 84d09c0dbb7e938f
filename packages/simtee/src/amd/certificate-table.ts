/** Writes the certificate table that a host hands to its guest (AMD 56421, SNP Extended Guest Request). */
import { TABLE_GUID } from "@donjon/attest/snp";

const ENTRY_BYTES = 24;

/** @param parts DER, by what they are */
export function encodeCertificateTable(
  parts: Readonly<Partial<Record<keyof typeof TABLE_GUID, Uint8Array>>>,
): Uint8Array {
  const entries = Object.entries(parts) as [keyof typeof TABLE_GUID, Uint8Array][];
  // One more entry, of zeros, ends the list.
  const head = Buffer.alloc(ENTRY_BYTES * (entries.length + 1));
  let at = head.length;
  for (const [index, [name, data]] of entries.entries()) {
    head.set(Buffer.from(TABLE_GUID[name], "hex"), ENTRY_BYTES * index);
    head.writeUInt32LE(at, ENTRY_BYTES * index + 16);
    head.writeUInt32LE(data.length, ENTRY_BYTES * index + 20);
    at += data.length;
  }
  return new Uint8Array(Buffer.concat([head, ...entries.map(([, data]) => data)]));
}
