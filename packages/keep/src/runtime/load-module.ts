/** From the bytes of a workload to a compiled module that can run here. */
import { DonjonError } from "@donjon/core/errors";
import {
  type ModuleImport,
  type ModuleStructure,
  parseStructure,
} from "@donjon/wasi/module/structure";
import {
  FUNCTION_NAMES,
  NOT_IN_UNSTABLE,
  SNAPSHOT_MODULE,
  THREAD_SPAWN,
  THREADS_MODULE,
  UNSTABLE_MODULE,
} from "@donjon/wasi/p1/functions";
import { setEngineLimits } from "./engine-limits.ts";
import { checkImports, checkMemories, type Entry, findEntry } from "./module-check.ts";
import { chooseTier, setTier, type Tier } from "./tiers.ts";

export interface LoadedModule {
  readonly module: WebAssembly.Module;
  readonly entry: Entry;
  readonly tier: Tier;
  /** Which WASI modules it imports from. */
  readonly wasi: ReadonlySet<string>;
  /** The memory that the threads of the workload share; `null`: it has no threads. */
  readonly sharedMemory: ModuleImport | null;
}

const PROVIDED: Readonly<Record<string, ReadonlySet<string>>> = {
  [SNAPSHOT_MODULE]: new Set(FUNCTION_NAMES),
  [UNSTABLE_MODULE]: new Set(FUNCTION_NAMES.filter((name) => !NOT_IN_UNSTABLE.includes(name))),
  [THREADS_MODULE]: new Set([THREAD_SPAWN]),
};

export type CheckedModule = Omit<LoadedModule, "module"> & {
  readonly maxPages: number;
  readonly tableCount: number;
};

/** Checks without compiling. Throws `DonjonError` `workload/invalid`, `workload/unsupported`, `workload/limit`. */
export function checkModule(bytes: Uint8Array, memoryBytes: number): CheckedModule {
  const structure = parseStructure(bytes);
  const sharedMemory = findSharedMemory(structure);
  checkImports(structure, ({ module, name, kind, memory }) =>
    kind === "function" ? isWasi(module, name) : memory !== null && memory === sharedMemory?.memory,
  );
  const entry = findEntry(structure);
  if (structure.memories.length === 0 && sharedMemory === null && structure.imports.length > 0) {
    throw new DonjonError(
      "workload/unsupported",
      "the workload has no memory, which WASI preview 1 needs; export one as 'memory'",
    );
  }
  const maxPages = checkMemories(structure, memoryBytes);
  const wasi = new Set(structure.imports.map((one) => one.module));
  const { tableCount } = structure;
  return { entry, tier: chooseTier(structure.codeBytes), wasi, sharedMemory, maxPages, tableCount };
}

/**
 * Checks and compiles; errors as `checkModule`. Sets V8's flags for the whole process: a Keep runs one
 * workload. `compiled`: what `compileAhead` made of the same bytes.
 */
export function loadModule(
  bytes: Uint8Array,
  memoryBytes: number,
  compiled: WebAssembly.Module | null = null,
): LoadedModule {
  const checked = checkModule(bytes, memoryBytes);
  setEngineLimits(checked.maxPages, checked.tableCount);
  setTier(checked.tier);
  return { ...checked, module: compiled ?? compile(bytes) };
}

/**
 * Compiles a module before anybody knows whether it is the one that the manifest names, and what memory it may have: V8 asks
 * for that limit when memory is made and when it grows, so `loadModule` sets it in time. Nothing of the module runs here: even
 * its start function does so only when it is instantiated. What is wrong with it stays untold (`null`), because `loadModule`
 * will tell it.
 */
export function compileAhead(bytes: Uint8Array): WebAssembly.Module | null {
  try {
    return loadModule(bytes, Number.POSITIVE_INFINITY).module;
  } catch {
    return null;
  }
}

function isWasi(module: string, name: string): boolean {
  return Object.hasOwn(PROVIDED, module) && PROVIDED[module]!.has(name);
}

/** Threads: the module imports one shared memory, and the function that starts threads. */
function findSharedMemory(structure: ModuleStructure): ModuleImport | null {
  const memories = structure.imports.filter((one) => one.kind === "memory");
  return memories.length === 1 && memories[0]!.memory!.shared ? memories[0]! : null;
}

function compile(bytes: Uint8Array): WebAssembly.Module {
  try {
    return new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>);
  } catch (cause) {
    throw explainCompileError(cause);
  }
}

/** V8's reason, without the name of its own API in front. */
export function explainCompileError(cause: unknown): DonjonError {
  const reason = String((cause as Error | null)?.message).replace(/^WebAssembly\.\w+\(\):\s*/, "");
  return new DonjonError(
    "workload/invalid",
    `the workload is not a valid module: ${reason}; build or copy it again`,
    { cause },
  );
}
