/** The launch digest of SEV-SNP: page after page is folded in (SEV-SNP firmware ABI 1.57, section 8.17.2, PAGE_INFO). */
import { hash } from "node:crypto";
import { PAGE_BYTES } from "./firmware.ts";

/** Octets of a launch digest, SHA-384. */
export const LAUNCH_DIGEST_BYTES = 48;

const PAGE_INFO_BYTES = 0x70;
const PAGE_TYPE = { normal: 1, vmsa: 2, zero: 3, unmeasured: 4, secrets: 5, cpuid: 6 } as const;
/** The address under which the firmware folds in every VMSA. */
const VMSA_GPA = 0xffff_ffff_f000n;

/** Page types whose content the host cannot choose, so that it is not part of the digest. */
export type PageWithoutContent = Exclude<keyof typeof PAGE_TYPE, "normal" | "vmsa">;

export class LaunchDigest {
  /** PAGE_INFO; its first 48 octets are the digest so far, and the permissions of other VMPLs stay zero. */
  readonly #info = new Uint8Array(PAGE_INFO_BYTES);
  readonly #view = new DataView(this.#info.buffer);

  constructor() {
    this.#view.setUint16(0x60, PAGE_INFO_BYTES, true);
  }

  /** @param bytes whole pages, the first of them at `gpa` */
  addNormalPages(gpa: number, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += PAGE_BYTES) {
      this.#fold(PAGE_TYPE.normal, BigInt(gpa + at), bytes.subarray(at, at + PAGE_BYTES));
    }
  }

  addPages(type: PageWithoutContent, gpa: number, count: number): void {
    for (let page = 0; page < count; page++) {
      this.#fold(PAGE_TYPE[type], BigInt(gpa + page * PAGE_BYTES), null);
    }
  }

  addVmsa(page: Uint8Array): void {
    this.#fold(PAGE_TYPE.vmsa, VMSA_GPA, page);
  }

  get value(): Uint8Array<ArrayBuffer> {
    return this.#info.slice(0, LAUNCH_DIGEST_BYTES);
  }

  #fold(type: number, gpa: bigint, content: Uint8Array | null): void {
    const info = this.#info;
    if (content === null) info.fill(0, 0x30, 0x60);
    else info.set(hash("sha384", content, "buffer"), 0x30);
    this.#view.setUint8(0x62, type);
    this.#view.setBigUint64(0x68, gpa, true);
    info.set(hash("sha384", info, "buffer"));
  }
}
