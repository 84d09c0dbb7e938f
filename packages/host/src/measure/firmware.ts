/**
 * OVMF firmware and the table at its end, in which it tells a VMM where its metadata lie
 * (edk2, OvmfPkg/ResetVector/Ia16/ResetVectorVtf0.asm).
 */
import { Cursor } from "@donjon/core/cursor";
import { DonjonError } from "@donjon/core/errors";
import { formatGuid, GUID_BYTES } from "./guid.ts";

export const PAGE_BYTES = 4096;

/** QEMU takes no firmware above 8 MiB unless it is told to; twice that is room enough. */
export const MAX_FIRMWARE_BYTES = 16 << 20;

/** The table ends here, before the reset vector. */
const AFTER_TABLE_BYTES = 32;
/** Behind the data of each entry: its length, this head included, and its GUID. */
const ENTRY_HEAD_BYTES = 2 + GUID_BYTES;
const TABLE_GUID = "96b582de-1fb2-45f7-baea-a366c55a082d";

export interface Firmware {
  /** The whole file; it ends at 4 GiB of guest memory. */
  readonly bytes: Uint8Array;
  /** Guest physical address of its first octet. */
  readonly gpa: number;
  /** Data of the table's entries, by GUID. */
  readonly table: ReadonlyMap<string, Uint8Array>;
}

const FOUR_GIB = 2 ** 32;

/** @throws DonjonError `measure/firmware` when the file is not firmware with such a table */
export function parseFirmware(bytes: Uint8Array): Firmware {
  if (bytes.length === 0 || bytes.length % PAGE_BYTES !== 0 || bytes.length > MAX_FIRMWARE_BYTES) {
    throw wrongFirmware(
      `found ${bytes.length} octets`,
      `whole pages of ${PAGE_BYTES}, at most ${MAX_FIRMWARE_BYTES}`,
    );
  }
  return { bytes, gpa: FOUR_GIB - bytes.length, table: parseTable(bytes) };
}

/** The entry's first 32-bit number, which all entries used here begin with; `undefined` when there is no such entry. */
export function readTableNumber(firmware: Firmware, guid: string): number | undefined {
  const data = firmware.table.get(guid);
  if (data === undefined) return undefined;
  if (data.length < 4) {
    throw wrongFirmware(
      `found ${data.length} octets in the table's entry ${guid}`,
      "4 or more: an address or offset",
    );
  }
  return new Cursor(data).u32("a number of the firmware's table");
}

/**
 * What lies `offset` octets before the end of the firmware, up to that end.
 * @throws DonjonError `measure/firmware`
 */
function readFromEnd(firmware: Firmware, offset: number, what: string): Cursor {
  const { length } = firmware.bytes;
  if (offset > length) {
    throw wrongFirmware(`found ${what} ${offset} octets before the end`, `at most ${length}`);
  }
  return new Cursor(firmware.bytes.subarray(length - offset));
}

export function wrongFirmware(found: string, wanted: string, what = "read"): DonjonError {
  return new DonjonError(
    "measure/firmware",
    `Cannot ${what} the firmware: ${found}, wanted ${wanted}; give the OVMF build that the guest will start with`,
  );
}

/** Entries are read from the end towards the front: each has its head behind its data. */
function parseTable(bytes: Uint8Array): ReadonlyMap<string, Uint8Array> {
  const end = bytes.length - AFTER_TABLE_BYTES;
  const footer = readHead(bytes, end);
  if (footer.guid !== TABLE_GUID) {
    throw wrongFirmware(`found GUID ${footer.guid} at the end`, `OVMF's table, ${TABLE_GUID}`);
  }
  const start = end - footer.length;
  if (footer.length < ENTRY_HEAD_BYTES || start < 0) {
    throw wrongFirmware(
      `found a table of ${footer.length} octets`,
      `${ENTRY_HEAD_BYTES} to ${end}`,
    );
  }
  const table = new Map<string, Uint8Array>();
  let at = end - ENTRY_HEAD_BYTES;
  while (at > start) {
    const room = at - start;
    const { length, guid } =
      room < ENTRY_HEAD_BYTES ? { length: 0, guid: "none" } : readHead(bytes, at);
    if (length < ENTRY_HEAD_BYTES || length > room || table.has(guid)) {
      throw wrongFirmware(
        `found an entry ${guid} of ${length} octets in the table`,
        `each GUID once, with ${ENTRY_HEAD_BYTES} to ${room} octets`,
      );
    }
    table.set(guid, bytes.subarray(at - length, at - ENTRY_HEAD_BYTES));
    at -= length;
  }
  return table;
}

function readHead(bytes: Uint8Array, end: number): { length: number; guid: string } {
  const cursor = new Cursor(bytes.subarray(end - ENTRY_HEAD_BYTES, end));
  const length = cursor.u16("length of an entry");
  return { length, guid: formatGuid(cursor.bytes(GUID_BYTES, "GUID of an entry")) };
}

/** Metadata in the form of both TEEs: a header of signature, size, version and count, then sections of one size. */
export interface MetadataForm {
  /** As in messages: `SEV` or `TDX`. */
  readonly tee: string;
  /** Four characters. */
  readonly signature: string;
  readonly sectionBytes: number;
}

const METADATA_VERSION = 1;
const METADATA_HEADER_BYTES = 16;
/** Known firmware has 5 to 7. */
const MAX_SECTIONS = 64;

/**
 * The sections' number, and a cursor at the first of them.
 * @param offset octets from the start of the metadata to the end of the firmware
 * @throws DonjonError `measure/firmware`
 */
export function readMetadataHeader(
  firmware: Firmware,
  offset: number,
  { tee, signature, sectionBytes }: MetadataForm,
): { readonly count: number; readonly cursor: Cursor } {
  if (offset < METADATA_HEADER_BYTES) {
    throw wrongFirmware(
      `found ${tee} metadata of ${offset} octets`,
      `${METADATA_HEADER_BYTES} or more`,
    );
  }
  const cursor = readFromEnd(firmware, offset, `${tee} metadata`);
  const found = new TextDecoder("latin1").decode(cursor.bytes(4, `${tee} metadata: signature`));
  const size = cursor.u32(`${tee} metadata: size`);
  const version = cursor.u32(`${tee} metadata: version`);
  const count = cursor.u32(`${tee} metadata: number of sections`);
  if (found !== signature || version !== METADATA_VERSION) {
    throw wrongFirmware(
      `found ${tee} metadata with signature ${JSON.stringify(found)}, version ${version}`,
      `'${signature}', version ${METADATA_VERSION}`,
    );
  }
  const wanted = METADATA_HEADER_BYTES + sectionBytes * count;
  if (count > MAX_SECTIONS || size !== wanted || size > offset) {
    throw wrongFirmware(
      `found ${tee} metadata of ${size} octets with ${count} sections, ${offset} octets before the end`,
      `at most ${MAX_SECTIONS} sections of ${sectionBytes} octets after ${METADATA_HEADER_BYTES} of header`,
    );
  }
  return { count, cursor };
}
