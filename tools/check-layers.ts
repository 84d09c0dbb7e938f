/**
 * Proves the layering rule of `layers.ts`: walks the real imports of every package's sources and
 * names each one that goes up, sideways, outside, or that its package.json does not declare.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { LAYERS, type Layer } from "./layers.ts";

const IMPORT =
  /(?:^|[\n;])\s*(?:import|export)\s(?:[^"';]*?\sfrom\s*)?["']([^"']+)["']|(?<![.\w])(?:import|require)\s*\(\s*["']([^"']+)["']/g;

/** Module specifiers that a source text imports, comments left out. */
export function importsOf(source: string): string[] {
  const text = source.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
  return [...text.matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? "");
}

export interface PackageFacts {
  readonly name: string;
  readonly folder: string;
  readonly declared: ReadonlySet<string>;
}

/** Why `specifier` may not be imported by `file` of the package, or `null` when it may. */
export function violation(
  facts: PackageFacts,
  layer: Layer,
  file: string,
  specifier: string,
): string | null {
  if (specifier.startsWith(".")) {
    const target = resolve(dirname(file), specifier);
    if (!target.startsWith(join(facts.folder, "src")))
      return `leaves its package by '${specifier}'`;
    return specifier.endsWith(".ts") || specifier.endsWith(".json")
      ? null
      : `'${specifier}' wants its extension`;
  }
  if (specifier.startsWith("node:") || builtinModules.includes(specifier)) {
    return layer.node ? null : `uses '${specifier}', but ${layer.level} has no platform`;
  }
  const own = /^@donjon\/([^/]+)/.exec(specifier)?.[1];
  if (own !== undefined) {
    if (!layer.packages.includes(own))
      return `imports '${specifier}', which its layer does not allow`;
    return facts.declared.has(`@donjon/${own}`)
      ? null
      : `imports '${specifier}' without declaring it`;
  }
  const name = specifier.startsWith("@")
    ? specifier.split("/").slice(0, 2).join("/")
    : (specifier.split("/")[0] ?? "");
  if (!layer.thirdParty.includes(name)) return `imports '${name}', which its layer does not allow`;
  return facts.declared.has(name) ? null : `imports '${name}' without declaring it`;
}

function sourceFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(folder, name))
    .sort();
}

/** Every violation in the repository at `root`, one sentence each. */
export function checkLayers(root: string): string[] {
  const problems: string[] = [];
  for (const name of readdirSync(join(root, "packages")).sort()) {
    const folder = join(root, "packages", name);
    const layer = LAYERS[name];
    if (layer === undefined) {
      problems.push(`packages/${name} is not in tools/layers.ts`);
      continue;
    }
    const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const declared = new Set(
      Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }),
    );
    const facts = { name, folder, declared };
    for (const file of sourceFiles(join(folder, "src"))) {
      const source = readFileSync(file, "utf8");
      for (const specifier of importsOf(source)) {
        const why = violation(facts, layer, file, specifier);
        if (why !== null) problems.push(`${relative(root, file)} ${why}`);
      }
      if (
        !layer.node &&
        /\bBuffer\b/.test(
          source.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "").replace(/ArrayBuffer\b/g, ""),
        )
      ) {
        problems.push(`${relative(root, file)} uses 'Buffer', but ${layer.level} has no platform`);
      }
    }
  }
  return problems;
}

if (import.meta.main) {
  const problems = checkLayers(dirname(import.meta.dirname));
  for (const problem of problems) console.error(`layers: ${problem}`);
  console.log(
    problems.length === 0
      ? "layers: imports go down only"
      : `layers: ${problems.length} violations`,
  );
  process.exitCode = problems.length === 0 ? 0 : 1;
}
