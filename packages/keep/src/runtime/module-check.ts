/** What a module must be to run here, told before it is compiled. */
import { DonjonError } from "@donjon/core/errors";
import type { MemoryType, ModuleImport, ModuleStructure } from "@donjon/wasi/module/structure";

export const PAGE_BYTES = 65_536;
/** Largest number of pages of a 32-bit memory. */
const MAX_PAGES = 65_536;
/** Names of missing imports that an error lists. */
const MAX_LISTED = 20;

/** How a module is started. */
export type Entry = "_start" | "_initialize" | "";

/**
 * Commands have `_start`, reactors `_initialize`; Enarx programs may export their entry under the
 * empty name.
 */
export function findEntry({ exports }: ModuleStructure): Entry {
  const functions = new Set(exports.filter(isFunction).map(({ name }) => name));
  for (const entry of ["_start", "", "_initialize"] as const) {
    if (functions.has(entry)) return entry;
  }
  throw new DonjonError(
    "workload/unsupported",
    "the workload exports neither '_start' (a command) nor '_initialize' (a reactor); build it as a WASI preview 1 program with an entry point",
  );
}

function isFunction({ kind }: { readonly kind: string }): boolean {
  return kind === "function";
}

/**
 * Refuses what cannot be bounded, and memory that is larger than its limit from the start. Answers the
 * pages that one memory may have.
 */
export function checkMemories(structure: ModuleStructure, limitBytes: number): number {
  const limitPages = Math.min(MAX_PAGES, Math.floor(limitBytes / PAGE_BYTES));
  const memories = [...structure.memories, ...structure.imports.flatMap((one) => one.memory ?? [])];
  if (memories.some((memory) => memory.is64)) {
    throw new DonjonError(
      "workload/unsupported",
      "the workload has a 64-bit memory, which WASI preview 1 cannot address; build it for wasm32",
    );
  }
  const wanted = memories.reduce((pages, memory) => pages + memory.minimum, 0);
  if (wanted > limitPages) {
    throw new DonjonError(
      "workload/limit",
      `the workload needs ${wanted * PAGE_BYTES} bytes of memory to start and its limit is ${limitBytes}; raise 'memory' in the manifest's limits`,
      { details: { wanted: wanted * PAGE_BYTES, limit: limitBytes } },
    );
  }
  const ceiling = memories.reduce((pages, memory) => pages + maximumPages(memory), 0);
  if (memories.length > 1 && ceiling > limitPages) {
    throw new DonjonError(
      "workload/unsupported",
      `the workload has ${memories.length} memories that may grow to ${ceiling * PAGE_BYTES} bytes together, above its limit of ${limitBytes}; declare maxima that fit, or use one memory`,
    );
  }
  return limitPages;
}

function maximumPages(memory: MemoryType): number {
  return memory.maximum ?? MAX_PAGES;
}

/** Refuses imports that nobody provides, and names each. */
export function checkImports(
  structure: ModuleStructure,
  isProvided: (one: ModuleImport) => boolean,
): void {
  const missing = structure.imports.filter((one) => !isProvided(one));
  if (missing.length === 0) return;
  const listed = missing
    .slice(0, MAX_LISTED)
    .map((one) => `'${one.module}' '${one.name}' (${one.kind})`)
    .join(", ");
  const more = missing.length > MAX_LISTED ? ` and ${missing.length - MAX_LISTED} more` : "";
  throw new DonjonError(
    "workload/unsupported",
    `the workload imports what a Keep does not provide: ${listed}${more}; build it for WASI preview 1 (for example target wasm32-wasip1)`,
    { details: { missing: missing.length } },
  );
}
