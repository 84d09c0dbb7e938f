/**
 * The page that binds kernel, initrd and command line to an SNP launch: QEMU writes their hashes into it, the launch
 * digest covers it, and OVMF compares what it is given (QEMU, target/i386/sev.c; edk2, BlobVerifierSevHashes).
 */
import { hash } from "node:crypto";
import { PAGE_BYTES, wrongFirmware } from "./firmware.ts";
import { encodeGuid, GUID_BYTES } from "./guid.ts";

const HEADER_GUID = "9438d606-4f22-4cc9-b479-a793d411fd21";
const COMMAND_LINE_GUID = "97d02dd8-bd20-4c94-aa78-e7714d36ab2a";
const INITRD_GUID = "44baf731-3a2f-4bd7-9af1-41e29169781d";
const KERNEL_GUID = "4de79437-abd2-427f-b835-d5b172d2045b";

const HEAD_BYTES = GUID_BYTES + 2;
const ENTRY_BYTES = HEAD_BYTES + 32;
const TABLE_BYTES = HEAD_BYTES + 3 * ENTRY_BYTES;
/** QEMU pads the table to 16 octets. */
const PADDED_BYTES = (TABLE_BYTES + 15) & ~15;

export interface KernelInputs {
  /** The file given to `-kernel`. */
  readonly kernel: Uint8Array;
  /** The file given to `-initrd`; none hashes as an empty one. */
  readonly initrd?: Uint8Array | undefined;
  /** The text given to `-append`, without a NUL. */
  readonly append?: string | undefined;
}

/**
 * @param hashTableGpa where the firmware looks for the table; only its place within the page counts here
 * @returns one page, 4,096 octets
 * @throws DonjonError `measure/firmware` when the table does not fit there
 */
export function encodeKernelHashes(inputs: KernelInputs, hashTableGpa: number): Uint8Array {
  const page = new Uint8Array(PAGE_BYTES);
  const start = hashTableGpa % PAGE_BYTES;
  if (hashTableGpa === 0 || start + PADDED_BYTES > PAGE_BYTES) {
    throw wrongFirmware(
      `found the table of kernel hashes at 0x${hashTableGpa.toString(16)}`,
      `an address with room for ${PADDED_BYTES} octets in its page`,
      "measure a kernel with",
    );
  }
  const view = new DataView(page.buffer);
  let at = start;
  const write = (guid: string, bytes: number, digest: Uint8Array) => {
    page.set(encodeGuid(guid), at);
    view.setUint16(at + GUID_BYTES, bytes, true);
    page.set(digest, at + HEAD_BYTES);
    at += HEAD_BYTES + digest.length;
  };
  // QEMU hashes the command line with the NUL that ends it.
  const commandLine = new TextEncoder().encode(`${inputs.append ?? ""}\0`);
  write(HEADER_GUID, TABLE_BYTES, new Uint8Array(0));
  write(COMMAND_LINE_GUID, ENTRY_BYTES, sha256(commandLine));
  write(INITRD_GUID, ENTRY_BYTES, sha256(inputs.initrd ?? new Uint8Array(0)));
  write(KERNEL_GUID, ENTRY_BYTES, sha256(inputs.kernel));
  return page;
}

function sha256(bytes: Uint8Array): Uint8Array {
  return hash("sha256", bytes, "buffer");
}
