/** Small firmware with the tables of OVMF, built from parts that a test can change. */
import { encodeGuid } from "../../src/measure/guid.ts";

export interface SyntheticSection {
  readonly gpa: number;
  readonly size: number;
  readonly type: number;
}

export interface SyntheticTdvfSection {
  readonly dataOffset: number;
  readonly rawSize: number;
  readonly address: bigint;
  readonly size: bigint;
  readonly type: number;
  readonly attributes: number;
}

export interface SyntheticOptions {
  readonly pages?: number;
  readonly sections?: readonly SyntheticSection[];
  readonly tdvf?: readonly SyntheticTdvfSection[];
  readonly apEip?: number | null;
  readonly hashTableGpa?: number | null;
  /** Start of the filling. */
  readonly seed?: number;
}

/** As Debian's OVMF.amdsev.fd has them, at other addresses. */
export const SECTIONS: readonly SyntheticSection[] = [
  { gpa: 0x80_0000, size: 0x3000, type: 1 },
  { gpa: 0x80_d000, size: 0x1000, type: 2 },
  { gpa: 0x80_e000, size: 0x1000, type: 3 },
  { gpa: 0x80_f000, size: 0x1000, type: 4 },
  { gpa: 0x81_1000, size: 0x2000, type: 1 },
  { gpa: 0x81_0000, size: 0x1000, type: 0x10 },
];
export const WITHOUT_HASHES = SECTIONS.filter(({ type }) => type !== 0x10);

const TABLE_GUID = "96b582de-1fb2-45f7-baea-a366c55a082d";
const RESET_BLOCK_GUID = "00f771de-1a7e-4fcb-890e-68c77e2fb44e";
const HASH_TABLE_GUID = "7255371f-3a3b-4b04-927b-1da6efa8d454";
const SEV_GUID = "dc886566-984a-4798-a75e-5585a7bf67cc";
const TDVF_GUID = "e47a6535-984a-4798-865e-4685a7bf8ec2";
/** Metadata lie this far before the end: SEV, then TDVF. */
const SEV_FROM_END = 0x600;
const TDVF_FROM_END = 0xc00;

export function buildFirmware(options: SyntheticOptions = {}): Uint8Array<ArrayBuffer> {
  const { pages = 4, sections = SECTIONS, tdvf, apEip = 0x80_b004, seed = 1 } = options;
  const { hashTableGpa = 0x81_0c00 } = options;
  const bytes = fill(pages * 4096, seed);
  const view = new DataView(bytes.buffer);
  writeSev(view, bytes.length - SEV_FROM_END, sections);
  if (tdvf !== undefined) writeTdvf(view, bytes.length - TDVF_FROM_END, tdvf);
  writeTable(bytes, [
    ...(tdvf === undefined ? [] : [[TDVF_GUID, u32s(TDVF_FROM_END)] as const]),
    [SEV_GUID, u32s(SEV_FROM_END)],
    ...(hashTableGpa === null ? [] : [[HASH_TABLE_GUID, u32s(hashTableGpa, 0x400)] as const]),
    ...(apEip === null ? [] : [[RESET_BLOCK_GUID, u32s(apEip)] as const]),
  ]);
  return bytes;
}

/** Writes entries in front of the table's footer, the last one last, as OVMF does. */
export function writeTable(
  bytes: Uint8Array,
  entries: readonly (readonly [guid: string, data: Uint8Array])[],
): void {
  const total = entries.reduce((sum, [, data]) => sum + data.length + 18, 18);
  let end = bytes.length - 32;
  const write = (guid: string, length: number, data: Uint8Array) => {
    bytes.set(encodeGuid(guid), end - 16);
    bytes.set([length & 0xff, length >> 8], end - 18);
    bytes.set(data, end - 18 - data.length);
    end -= 18 + data.length;
  };
  write(TABLE_GUID, total, new Uint8Array(0));
  for (const [guid, data] of entries.toReversed()) write(guid, data.length + 18, data);
}

export function u32s(...values: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer);
}

/** The same octets on every machine: a linear congruential generator. */
export function fill(length: number, seed: number): Uint8Array<ArrayBuffer> {
  let state = seed >>> 0;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  });
}

function writeSev(view: DataView, start: number, sections: readonly SyntheticSection[]): void {
  const header = [0x56455341, 16 + 12 * sections.length, 1, sections.length];
  const words = [...header, ...sections.flatMap(({ gpa, size, type }) => [gpa, size, type])];
  words.forEach((word, at) => {
    view.setUint32(start + 4 * at, word, true);
  });
}

function writeTdvf(view: DataView, start: number, sections: readonly SyntheticTdvfSection[]): void {
  const header = [0x46564454, 16 + 32 * sections.length, 1, sections.length];
  header.forEach((word, at) => {
    view.setUint32(start + 4 * at, word, true);
  });
  sections.forEach((section, at) => {
    const base = start + 16 + 32 * at;
    view.setUint32(base, section.dataOffset, true);
    view.setUint32(base + 4, section.rawSize, true);
    view.setBigUint64(base + 8, section.address, true);
    view.setBigUint64(base + 16, section.size, true);
    view.setUint32(base + 24, section.type, true);
    view.setUint32(base + 28, section.attributes, true);
  });
}
