/**
 * Proves what the pages say as far as a program can: links lead somewhere, commands are those that a test runs
 * (`tests/e2e/docs`), options and scripts exist, the layer table is that of `layers.ts`, and every third-party package
 * has its reason. Without `--check` it writes the layer table into ARCHITECTURE.md.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { STEPS } from "../tests/e2e/docs/steps.ts";
import { checkCommands, checkMentions } from "./docs/commands.ts";
import { checkDependencies, listPackages } from "./docs/dependencies.ts";
import { formatLayerTable, replaceLayerTable } from "./docs/layer-table.ts";
import { checkLinks, checkPlaces, checkSources } from "./docs/links.ts";
import type { Page } from "./docs/markdown.ts";
import { checkNamedTests } from "./docs/named-tests.ts";
import { LAYERS } from "./layers.ts";

const ROOT = dirname(import.meta.dirname);

const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

/** Files of the repository: those that git knows. */
function listFiles(): string[] {
  const list = ["ls-files", "-z"];
  const names = execFileSync("git", list, { cwd: ROOT, encoding: "utf8" }).split("\0");
  return [...new Set(names)].filter((name) => name !== "" && existsSync(join(ROOT, name)));
}

/** Layers whose package is there already. */
function presentLayers(): typeof LAYERS {
  const isThere = (name: string): boolean => existsSync(join(ROOT, "packages", name));
  return Object.fromEntries(
    Object.entries(LAYERS)
      .filter(([name]) => isThere(name))
      .map(([name, layer]) => [name, { ...layer, packages: layer.packages.filter(isThere) }]),
  );
}

/** Every problem of the pages, one sentence each. */
export function checkDocs(): string[] {
  const files = listFiles();
  const pages: Page[] = files
    .filter((path) => path.endsWith(".md"))
    .map((path) => ({ path, text: read(path) }));
  const scripts: Readonly<Record<string, string>> = JSON.parse(read("package.json")).scripts;
  const architecture = read("ARCHITECTURE.md");
  const manifests = files.filter((path) => /(?:^|\/)package\.json$/.test(path));
  const packages = manifests.flatMap((path) => listPackages(path, JSON.parse(read(path))));
  return [
    ...checkLinks(pages, files),
    ...checkPlaces(pages),
    ...checkSources({ path: "ARCHITECTURE.md", text: architecture }, Object.keys(LAYERS), files),
    ...checkCommands(pages, STEPS, scripts),
    ...checkMentions(pages, scripts, files),
    ...(replaceLayerTable(architecture, presentLayers()) === architecture
      ? []
      : [
          "ARCHITECTURE.md: the layer table is not that of tools/layers.ts; run tools/check-docs.ts",
        ]),
    ...checkDependencies(read("docs/dependencies.md"), packages),
    ...checkNamedTests(
      { path: "SECURITY.md", text: read("SECURITY.md") },
      files,
      ["tests/security/"],
      read,
    ),
    ...["LICENSE", "CHANGELOG.md"]
      .filter((path) => !files.includes(path))
      .map((path) => `${path} is missing`),
    ...(/^## Unreleased$/m.test(read("CHANGELOG.md"))
      ? []
      : ["CHANGELOG.md has no head 'Unreleased'"]),
  ];
}

if (import.meta.main) {
  if (!process.argv.includes("--check")) {
    const page = read("ARCHITECTURE.md");
    writeFileSync(join(ROOT, "ARCHITECTURE.md"), replaceLayerTable(page, presentLayers()));
    console.log(formatLayerTable(presentLayers()));
  }
  const problems = checkDocs();
  for (const problem of problems) console.error(`docs: ${problem}`);
  console.log(problems.length === 0 ? "docs: as tested" : `docs: ${problems.length} problems`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
