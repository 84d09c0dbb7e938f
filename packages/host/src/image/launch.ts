/** What the simulated security processor of a process Keep measures (docs/image.md, launch of a process Keep). */
import { createHash } from "node:crypto";
import type { Launch } from "../backend/backend.ts";
import { digestTree } from "./digest.ts";
import type { TreeFile } from "./tree.ts";

const LABEL = "donjon/process-launch/1";

/**
 * Stands for an MRENCLAVE: SHA-256 over the JSON text of `[label, image digest, ...engine flags]`, which no other list
 * has. Throws `files/read`.
 */
export function measureProcessLaunch(
  files: readonly TreeFile[],
  engineFlags: readonly string[],
): Launch {
  const { digest: imageDigest } = digestTree(files);
  const text = JSON.stringify([LABEL, imageDigest, ...engineFlags]);
  return { tee: "sgx", measurement: createHash("sha256").update(text).digest(), imageDigest };
}
