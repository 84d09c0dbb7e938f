import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DonjonError } from "@donjon/core/errors";
import { explainSystemError } from "@donjon/core/system-error";
import { parseEnarxManifest } from "@donjon/protocol/manifest/enarx";
import { encodeManifest } from "@donjon/protocol/manifest/encode";
import { parseOutline } from "@donjon/wasi/module/outline";
import type { Command } from "commander";
import { ENARX_NAME, MANIFEST_NAME, MODULE_NAME } from "../run/target.ts";

const EXAMPLES = `
Examples:
  donjon init                        for the .wasm file here
  donjon init app --module app.wasm  in the directory 'app'
  donjon init --json                 {file, module, found}: what was written, and whether the module is there
`;

export function addInitCommand(program: Command): void {
  program
    .command("init")
    .summary("write a donjon.toml")
    .description(
      `Write a ${MANIFEST_NAME} with comments; an ${ENARX_NAME} that is there is translated. Nothing is overwritten.`,
    )
    .argument("[directory]", "where to write it", ".")
    .option(
      "--module <file>",
      "the module, relative to the directory; the only .wasm there when not given",
    )
    .option("--json", "print {file, module, found}")
    .addHelpText("after", EXAMPLES)
    .action((directory: string, options: { module?: string; json?: boolean }) => {
      const file = join(directory, MANIFEST_NAME);
      const isEnarx = existsSync(join(directory, ENARX_NAME)) && options.module === undefined;
      const module = isEnarx ? MODULE_NAME : (options.module ?? findModule(directory));
      writeNew(file, isEnarx ? translateEnarx(directory) : createTemplate(directory, module));
      const found = existsSync(join(directory, module));
      process.stdout.write(
        options.json
          ? `${JSON.stringify({ file, module, found })}\n`
          : describeWritten(file, directory, found ? null : module),
      );
    });
}

function describeWritten(file: string, directory: string, missing: string | null): string {
  const next = `donjon run --insecure ${directory}`;
  return missing === null
    ? `wrote ${file}; try: ${next}\n`
    : `wrote ${file}; '${missing}' is not there yet: build it, or name another with 'file', then: ${next}\n`;
}

function findModule(directory: string): string {
  const modules = readNames(directory).filter((name) => name.endsWith(".wasm"));
  if (modules.length <= 1) return modules[0] ?? MODULE_NAME;
  throw new DonjonError(
    "usage",
    `'${directory}' has ${modules.length} modules (${modules.slice(0, 5).join(", ")}); say which: --module FILE`,
  );
}

function readNames(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (cause) {
    throw new DonjonError(
      "workload/not-found",
      `'${directory}' cannot be read: ${explainSystemError(cause)}`,
      { cause },
    );
  }
}

function translateEnarx(directory: string): string {
  const file = join(directory, ENARX_NAME);
  const { manifest, notes } = parseEnarxManifest(readFileSync(file), { file });
  const translated = { ...manifest, workload: { ...manifest.workload, file: MODULE_NAME } };
  return `# Translated from ${ENARX_NAME}.\n${notes.map((note) => `# ${note}\n`).join("")}\n${encodeManifest(translated)}`;
}

/** Sections that the module has no use for are left out; the others are there as comments. */
function createTemplate(directory: string, module: string): string {
  const imports = listImports(join(directory, module));
  const uses = (pattern: RegExp) => imports === null || imports.some((name) => pattern.test(name));
  const sections = [
    `# What the program in the Keep gets. What is not here, it does not have.\n# args = ["--verbose"]\n`,
    `[workload]\nfile = ${JSON.stringify(module)}\n`,
    ...(uses(/^environ_/) ? ['# [env]\n# LANG = "C.UTF-8"\n'] : []),
    ...(uses(/^path_/)
      ? [
          `# An empty directory in memory.\n# [[mounts]]\n# kind = "memory"\n# guest = "/tmp"\n`,
          `# A directory of yours; with writable = true, changes come back at exit.\n# [[mounts]]\n# kind = "packed"\n# guest = "/data"\n# host = "data"\n# writable = false\n`,
        ]
      : []),
    ...(uses(/^sock_/)
      ? [
          `# Descriptor 3: a socket to accept connections on.\n# [[listeners]]\n# name = "http"\n# protocol = "tcp"\n# address = "127.0.0.1"\n# port = 8080\n`,
        ]
      : []),
    `# Only the name is here; the value is given with --secret API_KEY.\n# [[secrets]]\n# name = "API_KEY"\n`,
    `# [limits]\n# memory = "512 MiB"\n# time = "30 s"\n`,
  ];
  return sections.join("\n");
}

/** `null` when the module is not there yet. */
function listImports(file: string): string[] | null {
  if (!existsSync(file)) return null;
  return parseOutline(readFileSync(file)).imports.map(({ name }) => name);
}

function writeNew(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: "wx" });
  } catch (cause) {
    const exists = (cause as NodeJS.ErrnoException).code === "EEXIST";
    const message = exists
      ? `'${file}' is there already; nothing was written`
      : `'${file}' cannot be written: ${explainSystemError(cause)}`;
    throw new DonjonError("files/write", message, { cause });
  }
}
