/** What TDVF, OVMF built for TDX, asks of a VMM (Intel TDX Virtual Firmware Design Guide, section 11; QEMU, hw/i386/tdvf.c). */
import {
  type Firmware,
  type MetadataForm,
  PAGE_BYTES,
  readMetadataHeader,
  readTableNumber,
  wrongFirmware,
} from "./firmware.ts";

const METADATA_GUID = "e47a6535-984a-4798-865e-4685a7bf8ec2";
const FORM: MetadataForm = { tee: "TDX", signature: "TDVF", sectionBytes: 32 };
/** Pages of all sections together; known firmware has about 1,060. A measured one costs 17 updates of a hash. */
const MAX_SECTION_PAGES = 16_384;

/** Section types that QEMU loads. */
const TYPE = { bfv: 0, cfv: 1, tdHob: 2, tempMem: 3 } as const;
/** Contents are measured (MR.EXTEND), not the address alone. */
const MR_EXTEND = 1;

export interface TdvfSection {
  /** Guest physical address of the first page. */
  readonly gpa: bigint;
  readonly pages: number;
  /** The contents where they are measured; `null` where the address alone is. */
  readonly measured: Uint8Array | null;
}

/** In table order, which is launch order. Throws DonjonError `measure/firmware`. */
export function parseTdvfMetadata(firmware: Firmware): readonly TdvfSection[] {
  const offset = readTableNumber(firmware, METADATA_GUID);
  if (offset === undefined) {
    throw wrongFirmware(
      "found no TDX metadata",
      "firmware that starts under TDX, such as OVMF.inteltdx.fd",
      "measure",
    );
  }
  const { count, cursor } = readMetadataHeader(firmware, offset, FORM);
  let left = MAX_SECTION_PAGES;
  const types: number[] = [];
  const sections = Array.from({ length: count }, () => {
    const entry = {
      dataOffset: cursor.u32("TDX section: data offset"),
      rawSize: cursor.u32("TDX section: raw size"),
      gpa: cursor.u64("TDX section: address"),
      size: cursor.u64("TDX section: size"),
      type: cursor.u32("TDX section: type"),
      attributes: cursor.u32("TDX section: attributes"),
    };
    const section = checkSection(firmware.bytes, entry, left);
    left -= section.pages;
    types.push(entry.type);
    return section;
  });
  if (types.filter((type) => type === TYPE.tdHob).length !== 1)
    throw wrongFirmware(`found TDX sections of types ${types.join(", ")}`, "one TD HOB (2)");
  return sections;
}

interface Entry {
  readonly dataOffset: number;
  readonly rawSize: number;
  readonly gpa: bigint;
  readonly size: bigint;
  readonly type: number;
  readonly attributes: number;
}

/** QEMU's checks, and two more: contents fill a measured section, and lie in the file. */
function checkSection(bytes: Uint8Array, entry: Entry, left: number): TdvfSection {
  const { dataOffset, rawSize, gpa, size, type, attributes } = entry;
  const fromFile = type === TYPE.bfv || type === TYPE.cfv;
  const known = fromFile || type === TYPE.tdHob || type === TYPE.tempMem;
  const measured = attributes === MR_EXTEND;
  const page = BigInt(PAGE_BYTES);
  const pages = Number(size / page);
  const aligned = gpa % page === 0n && size % page === 0n && pages <= left;
  const inFile = dataOffset + rawSize <= bytes.length && BigInt(rawSize) <= size;
  const full = BigInt(rawSize) === size;
  const wellFormed =
    known &&
    aligned &&
    inFile &&
    (attributes === 0 || (measured && full)) &&
    fromFile === rawSize > 0;
  if (!wellFormed || gpa + size > 1n << 52n) {
    throw wrongFirmware(
      `found a TDX section of type ${type}, attributes ${attributes}, at 0x${gpa.toString(16)} of ${size} octets, ${rawSize} of them from the file at ${dataOffset}`,
      `a type from 0 to 3 that QEMU loads, attributes 0 or 1, whole pages, ${MAX_SECTION_PAGES} altogether, contents that lie in the file and fill a measured section`,
    );
  }
  return {
    gpa,
    pages,
    measured: measured ? bytes.subarray(dataOffset, dataOffset + rawSize) : null,
  };
}
