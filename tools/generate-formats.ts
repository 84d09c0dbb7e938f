/**
 * Writes docs/formats from the tables that the code reads by: one page per family of layouts, and one for policies.
 * With `--check` it writes nothing and fails when a page is not what the tables say.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Knobs } from "../packages/attest/src/appraise/knob.ts";
import { snakeCase } from "../packages/attest/src/appraise/knob.ts";
import { POLICY_NOTES } from "../packages/attest/src/appraise/policy-notes.ts";
import { SECTIONS } from "../packages/attest/src/appraise/sections.ts";
import { INTEL_NOTES } from "../packages/attest/src/intel/layout-notes.ts";
import * as intelLayouts from "../packages/attest/src/intel/layouts.ts";
import * as sgxClaims from "../packages/attest/src/sgx/claims.ts";
import { SGX_NOTES } from "../packages/attest/src/sgx/layout-notes.ts";
import { SNP_NOTES } from "../packages/attest/src/snp/layout-notes.ts";
import * as snpLayouts from "../packages/attest/src/snp/layouts.ts";
import { TDX_NOTES } from "../packages/attest/src/tdx/layout-notes.ts";
import * as tdxLayouts from "../packages/attest/src/tdx/layouts.ts";
import type { BitLayout } from "../packages/core/src/bits.ts";
import type { Layout } from "../packages/core/src/layout.ts";

const FOLDER = join(dirname(import.meta.dirname), "docs/formats");
const MARK =
  "<!-- Written by tools/generate-formats.ts from the tables in the code. Change those, then run it. -->";

interface Page {
  readonly file: string;
  readonly title: string;
  readonly body: () => string;
}

const PAGES: readonly Page[] = [
  {
    file: "snp-report.md",
    title: "AMD SEV-SNP attestation report",
    body: () => layouts(snpLayouts),
  },
  {
    file: "intel-quote.md",
    title: "Intel quotes: header and enclave report",
    body: () => layouts(intelLayouts),
  },
  { file: "tdx-report.md", title: "Intel TDX: TD reports", body: () => layouts(tdxLayouts) },
  {
    file: "sgx-attributes.md",
    title: "Intel SGX: enclave attributes",
    body: () => layouts(sgxClaims),
  },
  { file: "policy.md", title: "Policy", body: policy },
];

/** Prose for fields whose tables carry none, so that bundles for pages stay small. */
const NOTES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ...SNP_NOTES,
  ...INTEL_NOTES,
  ...TDX_NOTES,
  ...SGX_NOTES,
};

/** Every layout that a module exports, by name. */
function layouts(module: Readonly<Record<string, unknown>>): string {
  const tables: string[] = [];
  for (const value of Object.values(module)) {
    if (isLayout(value)) tables.push(layoutTable(value));
    else if (isBitLayout(value)) tables.push(bitTable(value));
  }
  return tables.join("\n");
}

/** @throws Error when a field is explained nowhere */
function note(
  layout: string,
  field: { readonly name: string; readonly says?: string | undefined },
): string {
  const says = field.says ?? NOTES[layout]?.[field.name];
  if (says === undefined) throw new Error(`${layout}.${field.name} is not explained`);
  return says;
}

function layoutTable({ name, source, size, byteOrder, fields }: Layout): string {
  const rows = fields.map((field) => {
    const reserved = field.kind === "zero";
    const cells = [
      `0x${field.offset.toString(16).padStart(3, "0")}`,
      field.size,
      reserved ? "reserved" : specName(field.name),
      reserved ? "" : field.kind,
      field.since === 0 ? "" : field.since,
      reserved ? "must be zero" : note(name, field),
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return [
    `## ${name}`,
    "",
    `${size} octets, ${byteOrder}-endian. Source: ${source}.`,
    "",
    "| Offset | Octets | Field | Kind | Since version | |",
    "|---|---:|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}

function bitTable({ name, source, width, fields }: BitLayout): string {
  const rows = fields.map((field) => {
    const { bit, width: bits } = field;
    return `| ${bits === 1 ? bit : `${bit + bits - 1}:${bit}`} | ${specName(field.name)} | ${note(name, field)} |`;
  });
  return [
    `## ${name}`,
    "",
    `${width} bits. Source: ${source}.`,
    "",
    "| Bit | Field | |",
    "|---:|---|---|",
    ...rows,
    "",
  ].join("\n");
}

function policy(): string {
  const intro = [
    "A policy is a TOML file, or an object with the same keys in camelCase. A table per kind of evidence; a kind without",
    "a table is refused. Unknown keys are errors. `report_data` at the top holds for every kind that does not say its own.",
    "",
  ];
  const tables = Object.entries(SECTIONS).map(([kind, { knobs }]) => knobTable(kind, knobs));
  return [...intro, ...tables].join("\n");
}

/** @throws Error when a knob is explained nowhere */
function knobNote(kind: string, name: string): string {
  const notes: Readonly<Record<string, Readonly<Record<string, string>>>> = POLICY_NOTES;
  const says = notes[kind]?.[name];
  if (says === undefined) throw new Error(`${kind}.${name} is not explained`);
  return says;
}

function knobTable(kind: string, knobs: Knobs): string {
  const rows = Object.entries(knobs).map(
    ([name, { form }]) => `| \`${snakeCase(name)}\` | ${form} | ${knobNote(kind, name)} |`,
  );
  return [`## \`[${kind}]\``, "", "| Key | Value | |", "|---|---|---|", ...rows, ""].join("\n");
}

/** Specifications write REPORT_DATA for what the code calls reportData. */
function specName(name: string): string {
  return snakeCase(name).toUpperCase();
}

function isLayout(value: unknown): value is Layout {
  return typeof value === "object" && value !== null && "byteOrder" in value && "fields" in value;
}

function isBitLayout(value: unknown): value is BitLayout {
  return typeof value === "object" && value !== null && "width" in value && "fields" in value;
}

const check = process.argv.includes("--check");
mkdirSync(FOLDER, { recursive: true });
for (const { file, title, body } of PAGES) {
  const path = join(FOLDER, file);
  const text = `# ${title}\n\n${MARK}\n\n${body().trimEnd()}\n`;
  if (existsSync(path) && readFileSync(path, "utf8") === text) continue;
  if (check) {
    console.error(`docs/formats/${file} is not what the tables say; run tools/generate-formats.ts`);
    process.exitCode = 1;
  } else {
    writeFileSync(path, text);
    console.log(`wrote docs/formats/${file}`);
  }
}
