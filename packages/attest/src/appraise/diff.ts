import type { Json } from "../plain.ts";

/** One claim that differs; `undefined` where a side lacks it. */
export interface ClaimChange {
  /** Dotted, for example `tcb.reported.snp`. */
  readonly path: string;
  readonly before: Json | undefined;
  readonly after: Json | undefined;
}

/** What changed from one piece of evidence to another, claim by claim, in the order of the claims. */
export function diffClaims(before: Json, after: Json): readonly ClaimChange[] {
  const changes: ClaimChange[] = [];
  collect("", before, after, changes);
  return changes;
}

/** A diff for people: one line a claim. */
export function formatDiff(changes: readonly ClaimChange[]): string {
  if (changes.length === 0) return "no claim differs\n";
  const show = (value: Json | undefined) =>
    value === undefined ? "(absent)" : JSON.stringify(value);
  return changes
    .map(({ path, before, after }) => `${path}: ${show(before)} -> ${show(after)}\n`)
    .join("");
}

function collect(
  path: string,
  before: Json | undefined,
  after: Json | undefined,
  changes: ClaimChange[],
): void {
  if (isTable(before) && isTable(after)) {
    for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
      collect(path === "" ? name : `${path}.${name}`, before[name], after[name], changes);
    }
  } else if (JSON.stringify(before) !== JSON.stringify(after)) {
    changes.push({ path, before, after });
  }
}

function isTable(value: Json | undefined): value is { readonly [name: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
