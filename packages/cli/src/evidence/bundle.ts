import { writeFileSync } from "node:fs";
import { type Bundle, encodeBundle, makeBundle } from "@donjon/attest/envelope";
import type { IntelCollateral } from "@donjon/attest/intel";
import {
  type Endorsements,
  type OpenedEvidence,
  openEndorsement,
  openEvidence,
  parseCollateralText,
} from "@donjon/attest/open";
import { attempt } from "@donjon/core/attempt";
import { DonjonError } from "@donjon/core/errors";
import { explainSystemError } from "@donjon/core/system-error";
import { EXIT } from "../output/exit-codes.ts";
import { isDirectory, readFile } from "./files.ts";
import { complete, readCollateral, readSettings } from "./gather.ts";
import { NO_POLICY } from "./judge.ts";
import type { EvidenceOptions } from "./options.ts";

interface Sorted {
  readonly opened: OpenedEvidence[];
  readonly endorsements: Endorsements[];
  readonly collateral: IntelCollateral[];
}

/** Writes a bundle of genuine evidence. One that its policy refuses is written as well, and says so. */
export async function runBundle(
  paths: readonly string[],
  options: EvidenceOptions & { readonly output: string },
): Promise<number> {
  const { policy = NO_POLICY, at, allow, roots } = readSettings(options);
  const { opened, endorsements, collateral } = sortFiles(paths);
  const [evidence] = opened;
  if (evidence === undefined || opened.length > 1 || collateral.length > 1)
    throw new DonjonError(
      "usage",
      `found ${opened.length} pieces of evidence and ${collateral.length} of collateral among the files, wanted one, and at most one`,
    );
  const now = at ?? new Date();
  const set = complete(evidence, endorsements, collateral[0]);
  const bundle = await makeBundle(set, policy, { now, allow, ...(roots && { roots }) });
  write(options.output, bundle);
  const json = { file: options.output, kind: set.kind, verdict: bundle.verdict, at: now };
  process.stdout.write(
    options.json
      ? `${JSON.stringify(json)}\n`
      : `wrote ${options.output}: ${set.kind} evidence, ${bundle.verdict} at ${now.toISOString()}\n`,
  );
  return bundle.verdict === "accepted" ? EXIT.ok : EXIT.refused;
}

/** Tells evidence, endorsements and collateral apart by what is in them. */
function sortFiles(paths: readonly string[]): Sorted {
  const sorted: Sorted = { opened: [], endorsements: [], collateral: [] };
  for (const path of paths) {
    if (isDirectory(path)) sorted.collateral.push(readCollateral(path)());
    else if (!sortFile(readFile(path), sorted))
      throw new DonjonError(
        "usage",
        `'${path}' is no evidence, endorsement or collateral that is known`,
      );
  }
  return sorted;
}

function sortFile(bytes: Uint8Array, sorted: Sorted): boolean {
  const opened = attempt(() => openEvidence(bytes));
  if (opened !== undefined) return sorted.opened.push(opened) > 0;
  if (bytes[0] === 0x7b) {
    const text = new TextDecoder().decode(bytes);
    const collateral = attempt(() => parseCollateralText(text));
    return collateral !== undefined && sorted.collateral.push(collateral) > 0;
  }
  const endorsement = attempt(() => openEndorsement(bytes));
  return endorsement !== undefined && sorted.endorsements.push(endorsement) > 0;
}

function write(path: string, bundle: Bundle): void {
  try {
    writeFileSync(path, encodeBundle(bundle), { flag: "wx" });
  } catch (cause) {
    const exists = (cause as NodeJS.ErrnoException).code === "EEXIST";
    const message = exists
      ? `'${path}' is there already; nothing was written`
      : `'${path}' cannot be written: ${explainSystemError(cause)}`;
    throw new DonjonError("files/write", message, { cause });
  }
}
