/** GUIDs as firmware and QEMU store them: the first three fields little-endian (UEFI 2.10, Appendix A). */

/** Octets of a GUID. */
export const GUID_BYTES = 16;

/** Where each octet of the text form lies in the stored form. */
const ORDER = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15] as const;

/** @param text `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` */
export function encodeGuid(text: string): Uint8Array {
  const digits = text.replaceAll("-", "");
  return Uint8Array.from(ORDER, (at) => Number.parseInt(digits.slice(2 * at, 2 * at + 2), 16));
}

/** The text form, lower case. */
export function formatGuid(bytes: Uint8Array): string {
  const hex = ORDER.map((at) => (bytes[at] ?? 0).toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
