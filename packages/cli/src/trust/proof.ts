/** A statement as a proof bundle: `donjon verify FILE` asks everything again, offline. */
import { createHash } from "node:crypto";
import { accessSync, constants, existsSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { encodeBundle, makeBundle } from "@donjon/attest/envelope";
import type { KeepStatement } from "@donjon/client/attested/statement";
import { pinReportData } from "@donjon/client/attested/verifier";
import { DonjonError } from "@donjon/core/errors";
import { explainSystemError } from "@donjon/core/system-error";
import type { Trust } from "./trust.ts";

/** Beside a proof of simulated evidence: a bundle never brings the roots that it is to be believed by. */
const ROOTS_SUFFIX = ".simulated-roots.json";

/**
 * What the evidence speaks for goes in as the bundle's preimage of report data, so that manifest, workload and owner can
 * be read and are proved by it.
 *
 * @returns the command that asks the proof again
 * @throws DonjonError `files/write`, also when the file is there already
 */
export async function writeProof(
  file: string,
  { appraisal, evidence }: KeepStatement,
  { policy, roots, simulatedTrust }: Trust,
): Promise<string> {
  const reportData = createHash("sha512").update(evidence.binding).digest("hex");
  const bundle = await makeBundle(evidence.set, pinReportData(policy, reportData), {
    now: appraisal.at,
    ...(roots && { roots }),
  });
  writeNew(file, encodeBundle({ ...bundle, preimage: evidence.binding }));
  if (simulatedTrust === undefined) return `donjon verify ${file}`;
  writeNew(`${file}${ROOTS_SUFFIX}`, simulatedTrust);
  return `donjon verify ${file} --insecure-root ${file}${ROOTS_SUFFIX}`;
}

/**
 * To be asked before anything starts: nothing that runs should end because its proof has no place.
 * @throws DonjonError `files/write` when one of the files is there already, or none can be made there
 */
export function requireNewProof(file: string): void {
  for (const path of [file, `${file}${ROOTS_SUFFIX}`]) {
    if (existsSync(path)) throw cannotWrite(path, "it is there already; give another name");
  }
  try {
    accessSync(dirname(file), constants.W_OK);
  } catch (cause) {
    throw cannotWrite(file, `its directory: ${explainSystemError(cause)}`, cause);
  }
}

function writeNew(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: "wx" });
  } catch (cause) {
    const exists = (cause as NodeJS.ErrnoException).code === "EEXIST";
    const why = exists ? "it is there already" : explainSystemError(cause);
    throw cannotWrite(file, why, cause);
  }
}

function cannotWrite(file: string, why: string, cause?: unknown): DonjonError {
  const message = `the proof cannot be written to '${file}': ${why}`;
  return new DonjonError("files/write", message, { cause });
}
