/** What `donjon platform` does, in a file of the build that other commands never load. */
import type { Finding } from "@donjon/host/platform/finding";
import { chooseBackend, type Platform, probePlatform } from "@donjon/host/platform/probe";
import { findRuntime } from "../early-keep.ts";
import { EXIT } from "../output/exit-codes.ts";
import { createStyle, type Style, showSafely } from "../output/style.ts";
import { formatTable } from "../output/table.ts";

export async function runPlatform({ json = false }: { readonly json?: boolean }): Promise<number> {
  const platform = await probePlatform({ engine: process.execPath, runtime: findRuntime() });
  const backend = chooseBackend(platform);
  process.stdout.write(
    json
      ? `${JSON.stringify({ backend, ...platform })}\n`
      : formatPlatform(platform, createStyle(process.stdout)),
  );
  return backend === null ? EXIT.unprotected : EXIT.ok;
}

/** What only matters on hardware that is there: advice about it is left out elsewhere. */
const ONLY_WITH: Readonly<Record<string, string>> = {
  "snp-firmware": "snp",
  "tdx-firmware": "tdx",
  gramine: "sgx",
};

export function formatPlatform(platform: Platform, style: Style): string {
  const { findings, backends } = platform;
  const found = [
    ["FOUND", "", "", ""],
    ...findings.map(({ name, state, found }) => ["", name, state, showSafely(found)]),
  ];
  const kinds = [
    ["KEEPS", "", "", ""],
    ...backends.map(({ name, protects, available, detail }) => [
      "",
      name,
      available ? (protects ? "protected" : "unprotected") : "no",
      showSafely(detail),
    ]),
  ];
  const todo = findings.filter((finding) => isWorthSaying(finding, findings));
  const advice = todo.map(({ name, tried, todo }) => [
    "",
    name,
    `${showSafely(todo ?? "")} (tried: ${showSafely(tried)})`,
  ]);
  const tables = [found, kinds, ...(advice.length > 0 ? [[["TO DO", "", ""], ...advice]] : [])];
  const body = tables.map((rows) => formatTable(rows, style)).join("\n");
  return `${body}\n${formatVerdict(platform, style)}\n`;
}

function isWorthSaying({ name, state, todo }: Finding, all: readonly Finding[]): boolean {
  if (todo === null) return false;
  const hardware = ONLY_WITH[name];
  if (hardware !== undefined) return all.some((f) => f.name === hardware && f.state === "yes");
  return state !== "yes" || all.some((f) => ["snp", "tdx"].includes(f.name) && f.state === "yes");
}

function formatVerdict(platform: Platform, style: Style): string {
  const backend = chooseBackend(platform);
  if (backend !== null) return style.green(`Keeps of the kind '${backend}' are protected here.`);
  const kinds = platform.backends.filter(({ available }) => available).map(({ name }) => name);
  return style.yellow(
    `INSECURE: no hardware protects a Keep here; only unprotected ones run (${kinds.join(", ")}), with --insecure.`,
  );
}
