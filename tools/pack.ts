/**
 * Makes the package that is published as `@donjon/attest`: built ES modules with types, one file per public import and
 * what they share, `@donjon/core` inside. People install one package and its three dependencies.
 *
 * Usage: tools/pack.ts [--out FOLDER]; writes the package's tree and its tarball, and prints the tarball's path.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { build } from "esbuild";

const ROOT = dirname(import.meta.dirname);
const SOURCE = join(ROOT, "packages/attest");

/** What people import, each `@donjon/attest/NAME`; the README has the same list. */
export const SUBPATHS = [
  "appraise",
  "collateral",
  "detect",
  "envelope",
  "errors",
  "nitro",
  "open",
  "sgx",
  "snp",
  "snp-vlek",
  "tdx",
  "verify",
] as const;

/** The oldest Node that runs it, and what its JavaScript is written in. */
const OLDEST_NODE = ">=20";
const TARGET = "es2022";

/** Builds into `folder` and answers the tarball's path. */
export async function packAttest(folder: string): Promise<string> {
  const tree = join(folder, "package");
  rmSync(tree, { recursive: true, force: true });
  mkdirSync(tree, { recursive: true });
  await buildCode(tree);
  buildTypes(tree);
  const { name, version, description, license, dependencies } = readJson(
    join(SOURCE, "package.json"),
  );
  const { "@donjon/core": _inside, ...outside } = dependencies as Record<string, string>;
  const manifest = {
    name,
    version,
    description,
    license,
    type: "module",
    sideEffects: false,
    engines: { node: OLDEST_NODE },
    exports: Object.fromEntries(
      SUBPATHS.map((path) => [
        `./${path}`,
        { types: `./types/attest/src/${path}.d.ts`, default: `./dist/${path}.js` },
      ]),
    ),
    files: ["dist", "types"],
    dependencies: outside,
  };
  writeFileSync(join(tree, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  copyFileSync(join(SOURCE, "README.md"), join(tree, "README.md"));
  copyFileSync(join(ROOT, "LICENSE"), join(tree, "LICENSE"));
  const packed = run(
    "npm",
    ["pack", "--json", "--ignore-scripts", "--pack-destination", folder],
    tree,
  );
  const [{ filename }] = JSON.parse(packed);
  return join(folder, filename);
}

async function buildCode(tree: string): Promise<void> {
  await build({
    absWorkingDir: ROOT,
    entryPoints: SUBPATHS.map((path) => `packages/attest/src/${path}.ts`),
    outdir: join(tree, "dist"),
    bundle: true,
    // Files that several imports share: without it each import would have classes of its own.
    splitting: true,
    chunkNames: "shared/[hash]",
    format: "esm",
    platform: "neutral",
    target: TARGET,
    conditions: ["source"],
    external: ["cborg", "jose", "smol-toml"],
    charset: "utf8",
    legalComments: "none",
    logLevel: "warning",
  });
}

/** Types of the package and of `@donjon/core` side by side, the imports between them made relative. */
function buildTypes(tree: string): void {
  const types = join(tree, "types");
  // Through its package the compiler would take `core` for somebody else's and write nothing for it.
  const core = globSync("packages/core/src/*.ts", { cwd: ROOT }).map((file) => join(ROOT, file));
  const entries = [...SUBPATHS.map((path) => join(SOURCE, "src", `${path}.ts`)), ...core];
  const project = join(tree, "tsconfig.json");
  const compilerOptions = {
    rootDir: join(ROOT, "packages"),
    outDir: types,
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    rewriteRelativeImportExtensions: true,
  };
  const config = {
    extends: join(SOURCE, "tsconfig.json"),
    compilerOptions,
    include: [],
    files: entries,
  };
  writeFileSync(project, JSON.stringify(config));
  run(join(ROOT, "node_modules/.bin/tsc"), ["-p", project], ROOT);
  rmSync(project);
  for (const name of globSync("**/*.d.ts", { cwd: types })) {
    const file = join(types, name);
    const inside = relative(dirname(file), join(types, "core/src"));
    const text = readFileSync(file, "utf8")
      .replace(
        /(["'])@donjon\/core\/([\w-]+)\1/g,
        (_, quote, path) => `${quote}${inside}/${path}.js${quote}`,
      )
      .replace(/(from\s+|import\()(["'])(\.[^"']*)\.ts\2/g, "$1$2$3.js$2");
    writeFileSync(file, text);
  }
}

function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`'${command} ${args.join(" ")}' failed: ${stdout}${stderr}`);
  return stdout;
}

function readJson(path: string): Record<string, unknown> {
  return JSON.parse(readFileSync(path, "utf8"));
}

if (import.meta.main) {
  const at = process.argv.indexOf("--out");
  const folder = at === -1 ? join(SOURCE, "dist") : resolve(process.argv[at + 1] ?? ".");
  mkdirSync(folder, { recursive: true });
  console.log(await packAttest(folder));
}
