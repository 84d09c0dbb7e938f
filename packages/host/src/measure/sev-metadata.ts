/** What OVMF asks of a VMM that starts it under SEV-SNP (edk2, OvmfPkg/ResetVector/X64/OvmfSevMetadata.asm). */
import {
  type Firmware,
  type MetadataForm,
  PAGE_BYTES,
  readMetadataHeader,
  readTableNumber,
  wrongFirmware,
} from "./firmware.ts";

const METADATA_GUID = "dc886566-984a-4798-a75e-5585a7bf67cc";
const RESET_BLOCK_GUID = "00f771de-1a7e-4fcb-890e-68c77e2fb44e";
const HASH_TABLE_GUID = "7255371f-3a3b-4b04-927b-1da6efa8d454";

const FORM: MetadataForm = { tee: "SEV", signature: "ASEV", sectionBytes: 12 };
/** Pages of all sections together; known firmware has 32 to 64. Each costs one hash. */
const MAX_SECTION_PAGES = 16_384;

export const SECTION_TYPE = {
  secMem: 1,
  secrets: 2,
  cpuid: 3,
  svsmCaa: 4,
  kernelHashes: 0x10,
} as const;

type SectionType = (typeof SECTION_TYPE)[keyof typeof SECTION_TYPE];

export interface SevSection {
  readonly type: SectionType;
  readonly gpa: number;
  readonly pages: number;
}

export interface SevMetadata {
  /** In table order, which is launch order. */
  readonly sections: readonly SevSection[];
  /** Where application processors start. */
  readonly apEip: number;
  /** Guest physical address of the table of kernel hashes; 0 when the firmware checks none. */
  readonly hashTableGpa: number;
}

/** Sections that are one page by their meaning. */
const ONE_PAGE: readonly SectionType[] = [
  SECTION_TYPE.secrets,
  SECTION_TYPE.cpuid,
  SECTION_TYPE.kernelHashes,
];

/** @throws DonjonError `measure/firmware` when the firmware has no such metadata or they are not well formed */
export function parseSevMetadata(firmware: Firmware): SevMetadata {
  const offset = readTableNumber(firmware, METADATA_GUID);
  const apEip = readTableNumber(firmware, RESET_BLOCK_GUID);
  if (offset === undefined || apEip === undefined) {
    throw wrongFirmware(
      `found no ${offset === undefined ? "SEV metadata" : "SEV-ES reset block"}`,
      "firmware that starts under SEV-SNP, such as OVMF.amdsev.fd",
      "measure",
    );
  }
  return {
    sections: parseSections(firmware, offset),
    apEip,
    hashTableGpa: readTableNumber(firmware, HASH_TABLE_GUID) ?? 0,
  };
}

function parseSections(firmware: Firmware, offset: number): readonly SevSection[] {
  const { count, cursor } = readMetadataHeader(firmware, offset, FORM);
  let left = MAX_SECTION_PAGES;
  return Array.from({ length: count }, () => {
    const gpa = cursor.u32("SEV section: address");
    const bytes = cursor.u32("SEV section: size");
    const type = cursor.u32("SEV section: type");
    const section = checkSection(gpa, bytes, type, left);
    left -= section.pages;
    return section;
  });
}

function checkSection(gpa: number, bytes: number, type: number, left: number): SevSection {
  const known = Object.values(SECTION_TYPE).find((value) => value === type);
  const pages = bytes / PAGE_BYTES;
  const whole = gpa % PAGE_BYTES === 0 && Number.isInteger(pages) && pages <= left;
  if (known === undefined || !whole || (ONE_PAGE.includes(known) && pages !== 1)) {
    throw wrongFirmware(
      `found a SEV section of type 0x${type.toString(16)} at 0x${gpa.toString(16)} of ${bytes} octets`,
      `a known type, whole pages, ${MAX_SECTION_PAGES} pages altogether, one page for secrets, CPUID and kernel hashes`,
    );
  }
  return { type: known, gpa, pages };
}
