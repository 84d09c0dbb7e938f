import { diffClaims, type Json } from "@donjon/attest/appraise";
import { type OpenedEvidence, openEvidence, readUnverified } from "@donjon/attest/open";
import { DonjonError } from "@donjon/core/errors";
import { EXIT } from "../output/exit-codes.ts";
import { createStyle, type Style, showSafely } from "../output/style.ts";
import { readFile } from "./files.ts";

/** As `diff`: 0 when nothing differs, 1 when something does. Reads what the evidence says; proves nothing. */
export function runDiff(before: string, after: string, options: { json?: boolean }): number {
  const [one, other] = [before, after].map((path) => {
    const { set } = openNamed(path);
    return { kind: set.kind, ...(readUnverified(set) as { readonly [name: string]: Json }) };
  });
  const changes = diffClaims(one!, other!);
  if (options.json) {
    const json = changes.map(({ path, before = null, after = null }) => ({ path, before, after }));
    process.stdout.write(`${JSON.stringify({ changes: json })}\n`);
  } else process.stdout.write(describe(changes, createStyle(process.stdout)));
  return changes.length === 0 ? EXIT.ok : EXIT.different;
}

/** Of two files it has to be said which one is wrong. */
function openNamed(path: string): OpenedEvidence {
  const bytes = readFile(path);
  try {
    return openEvidence(bytes);
  } catch (cause) {
    if (!(cause instanceof DonjonError)) throw cause;
    throw new DonjonError(cause.code, `'${path}': ${cause.message}`, { cause });
  }
}

function describe(changes: ReturnType<typeof diffClaims>, style: Style): string {
  if (changes.length === 0) return "no claim differs\n";
  const lines = changes.flatMap(({ path, before, after }) => [
    style.bold(showSafely(path)),
    ...(before === undefined ? [] : [style.red(`  - ${show(before)}`)]),
    ...(after === undefined ? [] : [style.green(`  + ${show(after)}`)]),
  ]);
  return `${lines.join("\n")}\n`;
}

function show(value: Json): string {
  return showSafely(typeof value === "string" ? value : JSON.stringify(value));
}
