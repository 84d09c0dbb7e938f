/**
 * Counts the trusted computing base: the sources that go into the Keep's runtime, as the bundler finds them, without
 * blank lines, comments and types, which are all gone before anything runs. Our own part stays under a limit
 * (docs/decisions/0060).
 */
import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { dirname, join } from "node:path";
import { build } from "esbuild";

const ROOT = dirname(import.meta.dirname);
const ENTRIES = ["packages/keep/src/main.ts", "packages/keep/src/runtime/worker.ts"];
/** Lines of our own code inside the Keep. */
const MAX_OWN_LINES = 10_000;

/** Lines that hold code. */
export function countLines(source: string): number {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ""));
  return code.split("\n").filter((line) => line.trim() !== "" && !/^\s*\/\//.test(line)).length;
}

async function main(): Promise<void> {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: ENTRIES,
    outdir: "unused",
    bundle: true,
    write: false,
    metafile: true,
    platform: "node",
    format: "cjs",
    conditions: ["source"],
    logLevel: "silent",
  });
  const totals = new Map<string, number>();
  let own = 0;
  let ownWithTypes = 0;
  for (const path of Object.keys(metafile.inputs)) {
    const source = readFileSync(join(ROOT, path), "utf8");
    const typed = path.endsWith(".ts");
    const lines = countLines(typed ? stripTypeScriptTypes(source) : source);
    const name = /^(?:packages|node_modules)\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? path;
    totals.set(name, (totals.get(name) ?? 0) + lines);
    if (!path.startsWith("packages/")) continue;
    own += lines;
    ownWithTypes += countLines(source);
  }
  for (const [name, lines] of [...totals].sort())
    console.log(`${String(lines).padStart(6)}  ${name}`);
  console.log(
    `tcb: ${own} lines of our own in the Keep (${ownWithTypes} with types), at most ${MAX_OWN_LINES}`,
  );
  process.exitCode = own <= MAX_OWN_LINES ? 0 : 1;
}

if (import.meta.main) await main();
