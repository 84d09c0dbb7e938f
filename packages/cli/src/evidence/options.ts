import { DonjonError } from "@donjon/core/errors";
import { type Command, Option } from "commander";

/** What `verify`, `explain` and `bundle` take to decide by. */
export interface EvidenceOptions {
  readonly endorsement?: readonly string[];
  readonly collateral?: string;
  readonly policy?: string;
  readonly at?: string;
  readonly allow?: readonly string[];
  readonly insecureRoot?: readonly string[];
  readonly json?: boolean;
}

const RELAXATIONS = [
  "missing-crl",
  "stale-crl",
  "newer-version",
  "missing-tcb-info",
  "stale-tcb-info",
  "missing-qe-identity",
  "stale-qe-identity",
] as const;

export type RelaxationName = (typeof RELAXATIONS)[number];

export function addEvidenceOptions(command: Command): Command {
  return command
    .option("--policy <file>", "TOML: what to accept (docs/formats/policy.md)")
    .option("--at <time>", "the moment to verify for, RFC 3339; now when not given")
    .addOption(
      new Option("--allow <check>", "let a check fail, by its name; may be repeated")
        .choices(RELAXATIONS)
        .argParser(readRelaxation),
    )
    .option(
      "--insecure-root <file>",
      "trust this root instead of the vendors': for simulated evidence",
      collect,
    );
}

export function addFileOptions(command: Command): Command {
  return command
    .option(
      "-e, --endorsement <file>",
      "certificates, CRLs, AMD chain or certificate table; may be repeated",
      collect,
    )
    .option(
      "-c, --collateral <file|dir>",
      "Intel's: QuoteCollateralV3 JSON, or a directory of PCS answers",
    );
}

export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

function readRelaxation(value: string, before: readonly string[] = []): readonly string[] {
  if (!RELAXATIONS.includes(value as RelaxationName)) {
    const known = RELAXATIONS.join(", ");
    throw new DonjonError("usage", `there is no check '${value}' to allow; there are ${known}`);
  }
  return [...before, value];
}
