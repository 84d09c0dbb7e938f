/** A policy: what evidence to accept, as an object or as TOML. Everything not said is refused or, where noted, not asked. */
import { DonjonError } from "@donjon/core/errors";
import { parse as parseToml, TomlError } from "smol-toml";
import type { EvidenceKind } from "../verified.ts";
import { hexListOrAny, type Knobs, readSection, readTable, type SectionOf, wrong } from "./knob.ts";
import { SECTIONS, type Sections } from "./sections.ts";

const TOP_KNOBS = {
  reportData: hexListOrAny(64),
} as const;

export type Policy = SectionOf<typeof TOP_KNOBS> & {
  readonly [Kind in EvidenceKind]?: Sections[Kind];
};

/** Octets of a policy file. */
const MAX_POLICY_CHARACTERS = 1 << 20;

/**
 * Checks a policy given as an object. Unknown keys, wrong types and empty lists are errors: a policy that is not
 * understood accepts nothing.
 * @throws DonjonError `policy/unknown-key`, `policy/value`
 */
export function parsePolicy(value: unknown): Policy {
  const top: Record<string, unknown> = {};
  const out: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(readTable(value, ""))) {
    if (!Object.hasOwn(SECTIONS, key)) top[key] = item;
    else out[key] = readSection(SECTIONS[key as EvidenceKind].knobs as Knobs, item, key);
  }
  return { ...out, ...readTop(top) };
}

/**
 * Reads a policy file.
 * @throws DonjonError `policy/syntax` with line and column, `policy/unknown-key`, `policy/value`
 */
export function parsePolicyToml(text: string): Policy {
  if (text.length > MAX_POLICY_CHARACTERS)
    throw wrong("policy", `${text.length} characters`, `at most ${MAX_POLICY_CHARACTERS}`);
  try {
    return parsePolicy(parseToml(text));
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    throw new DonjonError(
      "policy/syntax",
      `Cannot read the policy: found a TOML error at line ${cause.line}, column ${cause.column}: ${cause.message.split("\n")[0]}`,
      { cause, details: { line: cause.line, column: cause.column } },
    );
  }
}

function readTop(value: object): SectionOf<typeof TOP_KNOBS> {
  const known = Object.keys(SECTIONS).join(", ");
  try {
    return readSection(TOP_KNOBS, value, "");
  } catch (cause) {
    if (!(cause instanceof DonjonError) || cause.code !== "policy/unknown-key") throw cause;
    throw new DonjonError("policy/unknown-key", `${cause.message}, or a table ${known}`, {
      details: cause.details,
    });
  }
}
