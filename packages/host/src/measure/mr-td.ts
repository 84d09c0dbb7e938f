/** MRTD: what the TDX module measures while a VMM builds a TD (Intel TDX Module ABI, TDH.MEM.PAGE.ADD and TDH.MR.EXTEND). */
import { createHash } from "node:crypto";
import { PAGE_BYTES } from "./firmware.ts";
import type { TdvfSection } from "./tdvf-metadata.ts";

/** Octets of one record, and of the contents that follow MR.EXTEND. */
const RECORD_BYTES = 128;
const CHUNK_BYTES = 256;
const GPA_OFFSET = 16;

/**
 * In which order a VMM adds and extends: each page in turn, as KVM of Linux 6.16 and newer does, or all pages of a
 * section before any of its contents, as older out-of-tree versions did.
 */
export const PAGE_ORDERS = ["page", "section"] as const;
export type PageOrder = (typeof PAGE_ORDERS)[number];

/** @returns SHA-384, 48 octets */
export function measureMrTd(sections: readonly TdvfSection[], order: PageOrder): Uint8Array {
  const hash = createHash("sha384");
  const record = (name: string, gpa: bigint) => {
    const bytes = new Uint8Array(RECORD_BYTES);
    new TextEncoder().encodeInto(name, bytes);
    new DataView(bytes.buffer).setBigUint64(GPA_OFFSET, gpa, true);
    hash.update(bytes);
  };
  const add = ({ gpa }: TdvfSection, page: number) =>
    record("MEM.PAGE.ADD", gpa + BigInt(page * PAGE_BYTES));
  const extend = ({ gpa, measured }: TdvfSection, page: number) => {
    if (measured === null) return;
    const end = (page + 1) * PAGE_BYTES;
    for (let at = page * PAGE_BYTES; at < end; at += CHUNK_BYTES) {
      record("MR.EXTEND", gpa + BigInt(at));
      hash.update(measured.subarray(at, at + CHUNK_BYTES));
    }
  };
  for (const section of sections) {
    if (order === "page") {
      for (let page = 0; page < section.pages; page++) {
        add(section, page);
        extend(section, page);
      }
    } else {
      for (let page = 0; page < section.pages; page++) add(section, page);
      for (let page = 0; page < section.pages; page++) extend(section, page);
    }
  }
  return new Uint8Array(hash.digest());
}
