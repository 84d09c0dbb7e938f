/**
 * The certificate table that a host hands to its guest with an extended report.
 * Source: "SEV-ES Guest-Hypervisor Communication Block Standardization", AMD publication 56421, SNP Extended Guest
 * Request: entries of {GUID, offset, length} ended by a zero entry; offsets count from the start of the table.
 */
import { isZero } from "@donjon/core/bytes";
import { Cursor } from "@donjon/core/cursor";
import { encodeHex } from "@donjon/core/hex";
import { AttestError } from "../attest-error.ts";
import type { SnpEndorsements } from "./verify.ts";

/** GUIDs in the order of octets that they are written in (RFC 4122), unlike those in firmware files. */
export const TABLE_GUID = {
  vcek: "63da758de6644564adc5f4b93be8accd",
  vlek: "a8074bc2a25a483eaae639c045a0b8a1",
  ask: "4ab7b379bbac4fe4a02f05aef327c782",
  ark: "c0b406a4a803495297433fb6014cd0ae",
  crl: "92f81bc358114d3d97ffd19f88dc67ea",
} as const;

export interface TableEntry {
  /** 32 hexadecimal digits. */
  readonly guid: string;
  /** A view of the table. */
  readonly data: Uint8Array;
}

/** Octets of a table: a host gives whole pages, a chain and a CRL fit into two. */
const MAX_TABLE_BYTES = 1 << 20;
const MAX_TABLE_ENTRIES = 32;

/**
 * Reads every entry, known GUID or not.
 * @throws AttestError `evidence/malformed`, reason `snp/certificate-table`
 */
export function parseCertificateTable(bytes: Uint8Array): readonly TableEntry[] {
  if (bytes.length > MAX_TABLE_BYTES)
    throw refusal(`${bytes.length} octets`, `at most ${MAX_TABLE_BYTES}`);
  const cursor = new Cursor(bytes);
  const entries: TableEntry[] = [];
  for (;;) {
    if (cursor.remaining < 24) throw refusal("the end of the table", "an entry of zeros");
    const guid = cursor.bytes(16, "GUID");
    const offset = cursor.u32("offset");
    const length = cursor.u32("length");
    if (isZero(guid) && offset === 0 && length === 0) break;
    if (entries.length === MAX_TABLE_ENTRIES)
      throw refusal("more entries", `at most ${MAX_TABLE_ENTRIES}`);
    if (offset + length > bytes.length) {
      throw refusal(
        `an entry from ${offset} to ${offset + length}`,
        `the end at most at ${bytes.length}`,
      );
    }
    entries.push({ guid: encodeHex(guid), data: bytes.subarray(offset, offset + length) });
  }
  const headerBytes = cursor.offset;
  const inHeader = entries.find(({ data }) => data.byteOffset - bytes.byteOffset < headerBytes);
  if (inHeader !== undefined)
    throw refusal("data inside the list of entries", `data from ${headerBytes} on`);
  return entries;
}

/** The certificates and CRLs of a table, for `verifySnp`; other entries are left out. */
export function tableEndorsements(bytes: Uint8Array): SnpEndorsements {
  const entries = parseCertificateTable(bytes);
  const certificateGuids: readonly string[] = [
    TABLE_GUID.vcek,
    TABLE_GUID.vlek,
    TABLE_GUID.ask,
    TABLE_GUID.ark,
  ];
  return {
    certificates: entries
      .filter(({ guid }) => certificateGuids.includes(guid))
      .map(({ data }) => data),
    crls: entries.filter(({ guid }) => guid === TABLE_GUID.crl).map(({ data }) => data),
  };
}

function refusal(found: string, wanted: string): AttestError {
  return new AttestError(
    "evidence/malformed",
    "snp/certificate-table",
    `Cannot read the certificate table: found ${found}, wanted ${wanted}`,
  );
}
