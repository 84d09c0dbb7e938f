/** Verdicts for people. `--json` is `encodeJudgement`. */
import type { Json } from "@donjon/attest/appraise";
import type { Check } from "@donjon/attest/snp";
import { type Style, showSafely } from "../output/style.ts";
import { listFacts } from "./facts.ts";
import { hintFor } from "./hints.ts";
import type { Judgement } from "./judge.ts";
import { meaningOf } from "./meanings.ts";

export function encodeJudgement(judgement: Judgement): string {
  const { kind, verdict, claims, checks, at, anchor, notes, binding } = judgement;
  return `${JSON.stringify({ kind, verdict, claims, checks, at, anchor, notes, binding })}\n`;
}

export interface VerdictOptions {
  /** Facts that are not in the evidence: name and text. */
  readonly rows?: readonly (readonly [string, string])[];
  /** Every line says INSECURE, also where the evidence was not even genuine. */
  readonly insecure?: boolean;
}

/** The verdict, why, and what it is about. */
export function describeVerdict(
  judgement: Judgement,
  style: Style,
  { rows: more = [], insecure = false }: VerdictOptions = {},
): string {
  const { claims, kind, checks, notes } = judgement;
  const failed = checks.filter(({ ok }) => !ok);
  const relaxed = checks.filter(({ allowed }) => allowed !== undefined);
  const rows: (readonly [string, string])[] = failed.flatMap((check) => explainFailure(check));
  if (kind !== null && claims !== null) rows.push(...listFacts(kind, claims));
  rows.push(...more);
  const passed = checks.length - failed.length;
  rows.push(["checks", `${passed} passed${failed.length > 0 ? `, ${failed.length} failed` : ""}`]);
  rows.push(...relaxed.map(({ code, allowed }) => ["allowed", `${code} (${allowed})`] as const));
  rows.push(...notes.map((note) => ["note", note] as const));
  const lines = [headline(judgement, style), ...formatRows(rows, style)];
  return finish(judgement, style, lines, insecure);
}

/** Everything: the verdict, every claim, every check. */
export function describeAll(judgement: Judgement, claims: Json, style: Style): string {
  const { checks, notes } = judgement;
  const failed = checks.filter(({ ok }) => !ok).flatMap((check) => explainFailure(check));
  const proven = judgement.claims !== null;
  const lines = [
    headline(judgement, style),
    ...formatRows([...failed, ...notes.map((note) => ["note", note] as const)], style),
    "",
    style.bold(proven ? "Claims, proven" : "Claims, as the evidence says: nothing here is proven"),
    ...formatClaims(claims, "  ", style),
    "",
    style.bold("Checks"),
    ...checks.map((check) => formatCheck(check, style)),
  ];
  return finish(judgement, style, lines);
}

export function formatClaims(claims: Json, indent: string, style: Style): string[] {
  if (typeof claims !== "object" || claims === null || Array.isArray(claims))
    return [`${indent}${showSafely(JSON.stringify(claims))}`];
  const entries = Object.entries(claims).filter(([, value]) => value !== null);
  const width = Math.max(0, ...entries.filter(([, v]) => !isTable(v)).map(([k]) => k.length));
  return entries.flatMap(([name, value]) =>
    isTable(value)
      ? [`${indent}${style.dim(showSafely(name))}`, ...formatClaims(value, `${indent}  `, style)]
      : [`${indent}${style.dim(showSafely(name).padEnd(width))}  ${showValue(value)}`],
  );
}

function headline({ kind, verdict, at, anchor }: Judgement, style: Style): string {
  const word = verdict === "accepted" ? style.green("ACCEPTED") : style.red("REFUSED");
  const what = kind === null ? "no evidence that can be read" : `${kind} evidence`;
  const genuine = anchor === null ? "not proven genuine" : `genuine by ${showSafely(anchor.name)}`;
  return `${word}  ${what}, ${genuine}, at ${at.toISOString()}`;
}

function explainFailure(check: Check): (readonly [string, string])[] {
  const hint = hintFor(check.code);
  return [
    ["because", `${check.code}: ${meaningOf(check.code)}`],
    ["", `found ${showSafely(check.found)}`],
    ["", `wanted ${showSafely(check.wanted)}`],
    ...(hint === undefined ? [] : [["try", hint] as const]),
  ];
}

function formatRows(rows: readonly (readonly [string, string])[], style: Style): string[] {
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `  ${style.dim(name.padEnd(width))}  ${text}`);
}

function formatCheck({ code, wanted, found, ok, allowed }: Check, style: Style): string {
  const state =
    allowed !== undefined ? style.yellow("allowed") : ok ? "ok     " : style.red("FAIL   ");
  return `  ${state}  ${code}: wanted ${showSafely(wanted)}; found ${showSafely(found)}`;
}

/** Whatever chains to a root of the caller's says so on every line. */
function finish(
  { anchor }: Judgement,
  style: Style,
  lines: readonly string[],
  insecure = false,
): string {
  const mark = insecure || anchor?.origin === "caller" ? `${style.yellow("INSECURE")} ` : "";
  return `${lines.map((line) => `${mark}${line}`.trimEnd()).join("\n")}\n`;
}

function isTable(value: Json | undefined): value is { readonly [name: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function showValue(value: Json | undefined): string {
  return showSafely(typeof value === "string" ? value : JSON.stringify(value));
}
