/**
 * Builds what runs: the measured runtime of the Keep (`packages/keep/dist/keep.cjs`, one file) and
 * the command (`packages/cli/dist/donjon.cjs`, and parts that it loads when it needs them). The same sources give the
 * same bytes.
 *
 * CommonJS, because the engine starts it several milliseconds sooner than ES modules.
 * Usage: tools/build.ts [--if-stale]
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { build, type Plugin } from "esbuild";

const ROOT = dirname(import.meta.dirname);
const KEEP = join(ROOT, "packages/keep/dist/keep.cjs");
const CLI = join(ROOT, "packages/cli");
const COMMAND = join(CLI, "dist/donjon.cjs");

/**
 * Parts of the command in files of their own, by the source (below `packages/cli`) that a dynamic import names. `main.ts` stays small, so that it
 * starts the Keep before the rest is even parsed; `run` never loads the verifier. `packages/cli/test/loading.test.ts` says which command loads what.
 */
const PARTS: Readonly<Record<string, string>> = {
  "src/run/run-command.ts": "run.cjs",
  "src/commands.ts": "commands.cjs",
  "src/vm-backend.ts": "vm.cjs",
  "src/agent/commands.ts": "agent.cjs",
  // Not loaded but started: the program of a process of its own.
  "src/agent/keep-warden.ts": "warden.cjs",
  "src/image/commands.ts": "image.cjs",
  "src/keeps/commands.ts": "keeps.cjs",
  "src/deploy/commands.ts": "deploy.cjs",
  "src/platform/commands.ts": "platform.cjs",
  "src/evidence/commands.ts": "evidence.cjs",
  "../simtee/src/issue-trust.ts": "issue-trust.cjs",
};

const PARTS_APART: Plugin = {
  name: "parts-apart",
  setup(plugin) {
    plugin.onResolve({ filter: /^\.\.?\// }, ({ kind, path, resolveDir }) => {
      const file = PARTS[relative(CLI, join(resolveDir, path))];
      return kind !== "dynamic-import" || file === undefined
        ? null
        : { path: `./${file}`, external: true };
    });
  },
};

/** The newest change among the inputs, in milliseconds since 1970. */
function newestInput(): number {
  let newest = 0;
  const visit = (path: string): void => {
    const stat = statSync(path);
    newest = Math.max(newest, stat.mtimeMs);
    if (stat.isDirectory()) for (const name of readdirSync(path)) visit(join(path, name));
  };
  for (const name of readdirSync(join(ROOT, "packages"))) {
    const src = join(ROOT, "packages", name, "src");
    if (existsSync(src)) visit(src);
  }
  visit(import.meta.filename);
  visit(join(ROOT, "package-lock.json"));
  return newest;
}

function isStale(): boolean {
  const parts = Object.values(PARTS).map((file) => join(CLI, "dist", file));
  return ![KEEP, COMMAND, ...parts].every(
    (path) => existsSync(path) && statSync(path).mtimeMs >= newestInput(),
  );
}

/** One entry point to one file of CommonJS. `define` replaces identifiers by literals. */
async function bundle(entry: string, define: Record<string, string> = {}): Promise<string> {
  const result = await build({
    absWorkingDir: ROOT,
    entryPoints: [entry],
    bundle: true,
    write: false,
    platform: "node",
    target: "node26",
    format: "cjs",
    conditions: ["source"],
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: "none",
    charset: "utf8",
    define,
    plugins: [PARTS_APART],
    // A dynamic import becomes a late `require`: the loader of ES modules costs milliseconds.
    supported: { "dynamic-import": false },
    logLevel: "warning",
    // Only the source form reads import.meta; the bundle has its worker inside.
    logOverride: { "empty-import-meta": "silent" },
  });
  const file = result.outputFiles[0];
  if (file === undefined) throw new Error(`esbuild wrote nothing for '${entry}'`);
  return file.text;
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  const digest = createHash("sha256").update(text).digest("hex");
  console.error(
    `built ${path.slice(ROOT.length + 1)}  ${(text.length / 1024).toFixed(0)} KiB  sha256 ${digest.slice(0, 16)}`,
  );
}

async function main(): Promise<void> {
  if (process.argv.includes("--if-stale") && !isStale()) return;
  // The worker's code travels inside the one file of the runtime: the Keep may read no other.
  const worker = await bundle("packages/keep/src/runtime/worker.ts");
  write(
    KEEP,
    await bundle("packages/keep/src/main.ts", { DONJON_WORKER_SOURCE: JSON.stringify(worker) }),
  );
  write(COMMAND, await bundle("packages/cli/src/main.ts"));
  for (const [entry, file] of Object.entries(PARTS))
    write(join(CLI, "dist", file), await bundle(join("packages/cli", entry)));
}

await main();
