/** Puts together what a command line names: evidence, what stands beside it, the policy, the time, the roots. */
import { type Policy, parsePolicyToml } from "@donjon/attest/appraise";
import type { IntelCollateral } from "@donjon/attest/intel";
import {
  type Endorsements,
  mergeEndorsements,
  type OpenedEvidence,
  openEndorsement,
  openEvidence,
  PCS_FILES,
  parseCollateralFiles,
  parseCollateralText,
} from "@donjon/attest/open";
import type { CallerRoots, EvidenceSet, Relaxation } from "@donjon/attest/verify";
import { DonjonError } from "@donjon/core/errors";
import { isDirectory, readDirectory, readFile } from "./files.ts";
import type { EvidenceOptions } from "./options.ts";
import { readRoots } from "./roots.ts";

export interface Gathered {
  readonly opened: OpenedEvidence;
  readonly set: EvidenceSet;
  readonly settings: Settings;
}

/** What the caller decides by. */
export interface Settings {
  /** `undefined`: the caller gave none. */
  readonly policy: Policy | undefined;
  readonly at: Date | undefined;
  readonly allow: readonly Relaxation[];
  readonly roots: CallerRoots | undefined;
}

const PCS_NAMES: ReadonlySet<string> = new Set(Object.values(PCS_FILES).flat());

/** Settings first: a wrong policy is the caller's mistake, whatever the evidence is. */
export function readSettings(options: EvidenceOptions): Settings {
  return {
    policy: options.policy === undefined ? undefined : readPolicyFile(options.policy),
    at: options.at === undefined ? undefined : readTime(options.at),
    allow: (options.allow ?? []) as readonly Relaxation[],
    roots: options.insecureRoot === undefined ? undefined : readRoots(options.insecureRoot),
  };
}

/** Reads every file before it opens one: a missing file is a usage error, whatever is in the others. */
export function gather(path: string, options: EvidenceOptions): Gathered {
  const settings = readSettings(options);
  const bytes = readFile(path);
  const beside = (options.endorsement ?? []).map(readFile);
  const read = options.collateral === undefined ? undefined : readCollateral(options.collateral);
  const opened = openEvidence(bytes);
  const set = complete(opened, beside.map(openEndorsement), read?.());
  return { opened, set, settings };
}

/** Evidence with everything beside it; what cannot serve this kind of evidence is a mistake of the caller's. */
export function complete(
  opened: OpenedEvidence,
  endorsements: readonly Endorsements[],
  collateral: IntelCollateral | undefined,
): EvidenceSet {
  const { kind } = opened.set;
  if (kind === "nitro" && (endorsements.length > 0 || collateral !== undefined))
    throw new DonjonError("usage", "a Nitro document brings everything; it takes no endorsements");
  if (kind === "snp" && collateral !== undefined)
    throw new DonjonError("usage", "SNP evidence takes --endorsement, not --collateral");
  const certificates = endorsements.flatMap((one) => one.certificates);
  const crls = endorsements.flatMap((one) => one.crls);
  return mergeEndorsements(opened.set, { certificates, crls }, collateral);
}

/** Reads now, parses when called. */
export function readCollateral(path: string): () => IntelCollateral {
  if (isDirectory(path)) {
    const files = readDirectory(path, PCS_NAMES);
    return () => parseCollateralFiles(files);
  }
  const bytes = readFile(path);
  return () => parseCollateralText(new TextDecoder().decode(bytes));
}

/** @throws DonjonError `files/read`, `policy/*`, with the file's name in front */
export function readPolicyFile(path: string): Policy {
  const text = new TextDecoder().decode(readFile(path));
  try {
    return parsePolicyToml(text);
  } catch (cause) {
    if (!(cause instanceof DonjonError)) throw cause;
    const { code, message, details } = cause;
    throw new DonjonError(code, `${path}: ${message}`, { cause, details });
  }
}

/** RFC 3339; a date alone is no moment. */
function readTime(text: string): Date {
  const form = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i;
  const time = form.test(text) ? new Date(text) : undefined;
  if (time !== undefined && !Number.isNaN(time.getTime())) return time;
  throw new DonjonError(
    "usage",
    `'${text}' is no time; wanted RFC 3339, such as 2026-06-01T00:00:00Z`,
  );
}
