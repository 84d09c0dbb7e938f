/**
 * The digest under which UEFI firmware measures a PE image: all of it but the checksum and the signatures (Windows
 * Authenticode PE Signature Format; edk2, OvmfPkg/Tcg/TdTcg2Dxe/MeasureBootPeCoff.c).
 */
import { createHash } from "node:crypto";
import { Cursor } from "@donjon/core/cursor";
import { DonjonError } from "@donjon/core/errors";

/** "MZ", "PE\0\0" and the magic of an optional header with 64-bit addresses. */
const DOS_MAGIC = 0x5a4d;
const PE_SIGNATURE = 0x4550;
const PE32_PLUS = 0x20b;

/** Offsets from the PE signature (Microsoft PE Format). */
const AT = {
  sectionCount: 6,
  optionalSize: 20,
  optional: 24,
  sizeOfHeaders: 24 + 60,
  checksum: 24 + 64,
  directoryCount: 24 + 108,
  security: 24 + 112 + 4 * 8,
} as const;
const CHECKSUM_BYTES = 4;
const DIRECTORY_BYTES = 8;
const SECTION_BYTES = 40;
/** Of a section header: size and place of its contents. */
const SECTION_RAW_OFFSET = 16;
/** A kernel has 4. */
const MAX_SECTIONS = 96;

interface PeLayout {
  readonly headers: number;
  /** Place of the checksum and of the directory entry of the signatures. */
  readonly checksum: number;
  readonly security: number;
  readonly signatureBytes: number;
  /** Contents of sections, in file order. */
  readonly sections: readonly { readonly start: number; readonly size: number }[];
}

/**
 * SHA-384, 48 octets.
 * @throws DonjonError `measure/unsupported` when the file is no PE image with 64-bit addresses, such as a Linux bzImage
 *   with an EFI stub
 */
export function hashAuthenticode(image: Uint8Array): Uint8Array {
  const layout = parseLayout(image);
  const hash = createHash("sha384");
  hash.update(image.subarray(0, layout.checksum));
  hash.update(image.subarray(layout.checksum + CHECKSUM_BYTES, layout.security));
  hash.update(image.subarray(layout.security + DIRECTORY_BYTES, layout.headers));
  let hashed = layout.headers;
  for (const { start, size } of layout.sections) {
    hash.update(image.subarray(start, start + size));
    hashed += size;
  }
  if (hashed + layout.signatureBytes > image.length)
    throw wrongImage(`${hashed} octets of contents and ${layout.signatureBytes} of signatures`);
  hash.update(image.subarray(hashed, image.length - layout.signatureBytes));
  return new Uint8Array(hash.digest());
}

function parseLayout(image: Uint8Array): PeLayout {
  const u16 = (at: number) => cursorAt(image, at).u16("a number of the PE header");
  const u32 = (at: number) => cursorAt(image, at).u32("a number of the PE header");
  if (image.length < 64 || u16(0) !== DOS_MAGIC) throw wrongImage("no DOS header");
  const pe = u32(0x3c);
  if (pe + AT.security + DIRECTORY_BYTES > image.length || u32(pe) !== PE_SIGNATURE)
    throw wrongImage(`no PE header at ${pe}`);
  const magic = u16(pe + AT.optional);
  const directories = u32(pe + AT.directoryCount);
  // Fewer directories mean no entry for signatures, which no kernel is without.
  if (magic !== PE32_PLUS || directories < 5)
    throw wrongImage(`a header 0x${magic.toString(16)} with ${directories} directories`);
  const table = pe + AT.optional + u16(pe + AT.optionalSize);
  const count = u16(pe + AT.sectionCount);
  const headers = u32(pe + AT.sizeOfHeaders);
  const tableEnd = table + count * SECTION_BYTES;
  if (count > MAX_SECTIONS || tableEnd > headers || headers > image.length)
    throw wrongImage(`${count} sections and ${headers} octets of headers`);
  const sections = Array.from({ length: count }, (_, at) => {
    const entry = table + at * SECTION_BYTES + SECTION_RAW_OFFSET;
    return { size: u32(entry), start: u32(entry + 4) };
  })
    .filter(({ size }) => size > 0)
    .sort((a, b) => a.start - b.start);
  const outside = sections.find(({ start, size }) => start + size > image.length);
  if (outside !== undefined)
    throw wrongImage(`a section of ${outside.size} octets at ${outside.start}`);
  return {
    headers,
    checksum: pe + AT.checksum,
    security: pe + AT.security,
    signatureBytes: u32(pe + AT.security + 4),
    sections,
  };
}

function cursorAt(image: Uint8Array, at: number): Cursor {
  if (at >= image.length) throw wrongImage(`an offset of ${at}`);
  return new Cursor(image.subarray(at));
}

function wrongImage(found: string): DonjonError {
  return new DonjonError(
    "measure/unsupported",
    `Cannot measure the kernel as UEFI firmware does: found ${found}, wanted a bzImage with an EFI stub, a PE image of 64-bit addresses`,
  );
}
