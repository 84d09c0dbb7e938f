/** The uncompressed kernel inside a bzImage (Documentation/arch/x86/boot.rst, the real-mode kernel header). */
import { zstdDecompressSync } from "node:zlib";
import { DonjonError } from "@donjon/core/errors";

const SECTOR_BYTES = 512;
const SETUP_SECTORS = 0x1f1;
const HEADER_MAGIC = 0x202;
const PAYLOAD_OFFSET = 0x248;
const PAYLOAD_LENGTH = 0x24c;
/** End of the fields that are read here. */
const HEADER_END = 0x250;
/** `HdrS` */
const MAGIC = 0x53726448;
const ZSTD_MAGIC = 0xfd2fb528;
const ELF_MAGIC = 0x464c457f;
/** The build appends the uncompressed size to the payload. */
const SIZE_BYTES = 4;
const MAX_KERNEL_BYTES = 512 << 20;

/** The ELF file that the bzImage unpacks when it boots. Throws `bytes/invalid` for another format or another compression. */
export function extractVmlinux(bzImage: Uint8Array): Uint8Array {
  const view = new DataView(bzImage.buffer, bzImage.byteOffset, bzImage.byteLength);
  if (bzImage.length < HEADER_END || view.getUint32(HEADER_MAGIC, true) !== MAGIC)
    throw invalid("is no bzImage");
  // 0 means 4, for the sake of very old loaders.
  const setup = ((view.getUint8(SETUP_SECTORS) || 4) + 1) * SECTOR_BYTES;
  const start = setup + view.getUint32(PAYLOAD_OFFSET, true);
  const end = start + view.getUint32(PAYLOAD_LENGTH, true);
  if (end > bzImage.length || end - start <= SIZE_BYTES * 2)
    throw invalid("has a payload beyond its end");
  if (view.getUint32(start, true) !== ZSTD_MAGIC)
    throw invalid("is not compressed with zstd, the only way that is read here");
  const size = view.getUint32(end - SIZE_BYTES, true);
  if (size > MAX_KERNEL_BYTES) throw invalid(`says that it unpacks to ${size} octets`);
  const elf = unpack(bzImage.subarray(start, end - SIZE_BYTES));
  if (elf.length !== size || elf.readUInt32LE(0) !== ELF_MAGIC)
    throw invalid("does not unpack to an ELF file of the size that it says");
  return elf;
}

function unpack(payload: Uint8Array): Buffer {
  try {
    return zstdDecompressSync(payload, { maxOutputLength: MAX_KERNEL_BYTES });
  } catch (cause) {
    throw invalid(`cannot be unpacked: ${(cause as Error).message}`, cause);
  }
}

function invalid(what: string, cause?: unknown): DonjonError {
  return new DonjonError("bytes/invalid", `the kernel ${what}; take another kernel package`, {
    cause,
  });
}
