/** `image.json`: what an image is made of. The same inputs give the same bytes. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DonjonError } from "@donjon/core/errors";
import { explainSystemError } from "@donjon/core/system-error";
import type { ImageEntry } from "@donjon/protocol/image/listing";
import type { ImageLock } from "./lock.ts";

export interface RecordedPart {
  /** File in the image's folder. */
  readonly name: string;
  /** In octets. */
  readonly size: number;
  readonly sha256: string;
}

export interface ImageRecord {
  readonly format: typeof RECORD_FORMAT;
  /** Image digest, lower-case hex. */
  readonly digest: string;
  readonly tree: readonly ImageEntry[];
  /** What boots a VM Keep. */
  readonly boot: readonly RecordedPart[];
  /** Which input each file of the tree and each part comes from, for people: `libc6 2.36-9`. */
  readonly origins: Readonly<Record<string, string>>;
  readonly lock: ImageLock;
}

export const RECORD_FORMAT = "donjon/image-record/1";
export const RECORD_NAME = "image.json";

export function encodeRecord(record: ImageRecord): string {
  return `${JSON.stringify(record, null, 2)}\n`;
}

/** @param path an image's folder, or its `image.json`. Throws `image/missing`. */
export function readRecord(path: string): ImageRecord {
  const file = path.endsWith(".json") ? path : join(path, RECORD_NAME);
  try {
    const record = JSON.parse(readFileSync(file, "utf8")) as ImageRecord;
    const lists = [record.tree, record.boot].every(Array.isArray);
    if (record.format === RECORD_FORMAT && lists && typeof record.digest === "string")
      return record;
  } catch (cause) {
    const message = `'${file}' cannot be read as the record of an image: ${explainSystemError(cause)}`;
    throw new DonjonError("image/missing", message, { cause });
  }
  throw new DonjonError("image/missing", `'${file}' is no record of the format '${RECORD_FORMAT}'`);
}
