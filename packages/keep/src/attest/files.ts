/** Small files of the kernel and of Gramine, read and written off the thread that serves the gate: a quote takes its time. */
import { DonjonError } from "@donjon/core/errors";
import { MAX_PLATFORM_EVIDENCE_BYTES } from "@donjon/protocol/limits";

const fs = process.getBuiltinModule("node:fs");

/** Such files tell no size, so they are read up to their end. Throws `keep/state` for one that is too large. */
export async function readBlob(path: string): Promise<Uint8Array> {
  const file = await fs.promises.open(path, "r");
  try {
    const blob = new Uint8Array(MAX_PLATFORM_EVIDENCE_BYTES + 1);
    for (let fill = 0; ; ) {
      const { bytesRead } = await file.read(blob, fill, blob.length - fill);
      if (bytesRead === 0) return blob.slice(0, fill);
      fill += bytesRead;
      if (fill === blob.length) throw noEvidence(`${path} has more than ${fill - 1} octets`);
    }
  } finally {
    await file.close();
  }
}

export async function writeBlob(path: string, bytes: Uint8Array): Promise<void> {
  const file = await fs.promises.open(path, "r+");
  try {
    // One call: the kernel takes a blob as a whole.
    await file.write(bytes, 0, bytes.length, 0);
  } finally {
    await file.close();
  }
}

/** The first line of a small file; `null` where there is none, or none that the Keep may read. */
export function readLine(path: string): string | null {
  try {
    return fs.readFileSync(path, "latin1").trim();
  } catch {
    return null;
  }
}

export function noEvidence(why: string, cause?: unknown): DonjonError {
  return new DonjonError("keep/state", `the platform gives no evidence: ${why}`, { cause });
}
