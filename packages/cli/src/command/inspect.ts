import { type ModuleOutline, parseOutline } from "@donjon/wasi/module/outline";
import { type MemoryType, readBinaryKind } from "@donjon/wasi/module/structure";
import type { Command } from "commander";
import { describeModuleKind, listForeignImports, listNeeds, type Need } from "../inspect/needs.ts";
import { formatBytes } from "../output/progress.ts";
import { createStyle, type Style, showSafely } from "../output/style.ts";
import type { Context } from "../program.ts";
import { hashSha256 } from "../run/digest.ts";
import { applyFlags } from "../run/flags.ts";
import { readInput, resolveTarget } from "../run/target.ts";

const EXAMPLES = `
Examples:
  donjon inspect app.wasm            what it imports and exports, what it needs
  donjon inspect .                   the same, with what the donjon.toml here grants
  donjon inspect app.wasm --json     for programs
`;

const PAGE_BYTES = 65_536;

interface Inspection {
  readonly file: string;
  readonly size: number;
  readonly sha256: string;
  readonly kind: string;
  /** `null` for a component. */
  readonly outline: ModuleOutline | null;
  readonly needs: readonly Need[];
  /** Imports that no Keep provides, as `module.name`. */
  readonly missing: readonly string[];
}

export function addInspectCommand(program: Command, context: Context): void {
  program
    .command("inspect")
    .summary("show what a module needs and would be granted")
    .description(
      "Show what a module imports, exports and needs, and what its manifest would grant. Nothing is run.",
    )
    .argument("<target>", "as for 'run'")
    .option("--wasmcfgfile <file>", "an Enarx.toml for the module")
    .option("--json", "print JSON")
    .addHelpText("after", EXAMPLES)
    .action((path: string, options: { json?: boolean; wasmcfgfile?: string }) => {
      const inspection = inspect(path, options.wasmcfgfile, context);
      process.stdout.write(options.json ? `${JSON.stringify(inspection)}\n` : describe(inspection));
    });
}

function inspect(path: string, wasmcfgfile: string | undefined, context: Context): Inspection {
  const target = resolveTarget(path, wasmcfgfile);
  const { manifest } = applyFlags(target.manifest, {}, context.rest);
  const bytes = readInput(target.module);
  const base = {
    file: target.module,
    size: bytes.length,
    sha256: hashSha256(bytes),
  };
  if (readBinaryKind(bytes) === "component") {
    return {
      ...base,
      kind: "component (WASI 0.2 or later; cannot run yet)",
      outline: null,
      needs: [],
      missing: [],
    };
  }
  const outline = parseOutline(bytes);
  return {
    ...base,
    kind: describeModuleKind(outline),
    outline,
    needs: listNeeds(outline, manifest),
    missing: listForeignImports(outline).map(({ module, name }) => `${module}.${name}`),
  };
}

function describe({ file, size, sha256, kind, outline, needs, missing }: Inspection): string {
  const style = createStyle(process.stdout);
  const lines = [
    `${style.bold(file)}`,
    ...formatRows(style, [
      ["kind", kind],
      ["size", formatBytes(size)],
      ["sha256", sha256],
      ...(outline === null ? [] : listOutline(outline)),
    ]),
  ];
  if (outline !== null) lines.push(...describeLinks(outline, style));
  if (needs.length > 0) {
    lines.push("", style.bold("needs, and what it would be granted"));
    lines.push(
      ...formatRows(
        style,
        needs.map(({ what, granted }) => [what, granted ?? style.yellow("nothing")]),
      ),
    );
  }
  if (missing.length > 0) {
    lines.push("", style.red("cannot run: no Keep provides these imports"));
    lines.push(...missing.map((name) => `  ${showSafely(name)}`));
  }
  return `${lines.join("\n")}\n`;
}

function listOutline(outline: ModuleOutline): [string, string][] {
  const producers = outline.producers.map(({ field, name, version }) =>
    `${field}: ${name} ${version}`.trimEnd(),
  );
  const sections = outline.customSections.map(({ name, size }) => `${name} (${formatBytes(size)})`);
  return [
    [
      "functions",
      `${outline.functionCount}, ${formatBytes(outline.codeBytes)} of code, ${formatBytes(outline.dataBytes)} of data`,
    ],
    ["memory", outline.memories.map(describeMemory).join("; ") || "none"],
    ["toolchain", showSafely(producers.join("; ")) || "not said"],
    ["sections", showSafely(sections.join(", ")) || "none"],
  ];
}

function describeLinks(outline: ModuleOutline, style: Style): string[] {
  return [
    "",
    style.bold(`imports (${outline.imports.length})`),
    ...outline.imports.map(
      ({ module, name, kind, signature }) =>
        `  ${showSafely(`${module}.${name}`)} ${style.dim(signature ?? kind)}`,
    ),
    "",
    style.bold(`exports (${outline.exports.length})`),
    ...outline.exports.map(({ name, kind }) => `  ${showSafely(name)} ${style.dim(kind)}`),
  ];
}

function describeMemory({ minimum, maximum, shared, is64 }: MemoryType): string {
  const most = maximum === null ? "no maximum" : `at most ${formatBytes(maximum * PAGE_BYTES)}`;
  return `${formatBytes(minimum * PAGE_BYTES)} at start, ${most}${shared ? ", shared" : ""}${is64 ? ", 64-bit" : ""}`;
}

function formatRows(style: Style, rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `  ${style.dim(name.padEnd(width))}  ${text}`);
}
