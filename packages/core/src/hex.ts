import { DonjonError } from "./errors.ts";

const PAIRS: readonly string[] = Array.from({ length: 256 }, (_, n) =>
  n.toString(16).padStart(2, "0"),
);

/** Lower-case hexadecimal, two digits an octet. */
export function encodeHex(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i++) text += PAIRS[bytes[i]!];
  return text;
}

/**
 * Octets of a hexadecimal string, either case, nothing else in it.
 * @throws DonjonError `bytes/invalid`
 */
export function decodeHex(text: string): Uint8Array<ArrayBuffer> {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) {
    throw new DonjonError(
      "bytes/invalid",
      `Cannot read hexadecimal: found ${text.length} characters, wanted an even number of digits 0-9 and a-f`,
    );
  }
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++)
    bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}
