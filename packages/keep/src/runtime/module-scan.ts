/**
 * What the engine room must know of a module before it is compiled: its imports, memories and exports
 * with their limits, and its size. Reads the outer structure only (WebAssembly core specification,
 * section 5.5 "Modules"); V8 validates everything afterwards.
 */
import { DonjonError } from "@donjon/core/errors";

export interface MemoryLimits {
  /** Pages of 64 KiB. */
  readonly minimum: number;
  readonly maximum: number | null;
  readonly shared: boolean;
  readonly is64: boolean;
}

export interface ModuleImport {
  readonly module: string;
  readonly name: string;
  readonly kind: "function" | "table" | "memory" | "global" | "tag";
  /** Only of memories. */
  readonly memory: MemoryLimits | null;
}

export interface ModuleScan {
  readonly imports: readonly ModuleImport[];
  /** Memories of the module itself; imported ones are among `imports`. */
  readonly memories: readonly MemoryLimits[];
  /** Names of exported functions, and of all exports. */
  readonly functions: ReadonlySet<string>;
  readonly exports: ReadonlySet<string>;
  /** Tables of the module itself. */
  readonly tableCount: number;
  /** Functions with a body. */
  readonly functionCount: number;
  /** Bytes of the code section. */
  readonly codeBytes: number;
}

/** Imports and exports of one module, together. Real modules have hundreds. */
const MAX_NAMES = 200_000;
const SECTION = { import: 2, function: 3, table: 4, memory: 5, export: 7, code: 10 } as const;
const KINDS = ["function", "table", "memory", "global", "tag"] as const;

class Malformed extends Error {}

/** A cursor over one section. */
class SectionReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  at: number;

  constructor(bytes: Uint8Array, at: number, end: number) {
    this.#bytes = bytes;
    this.at = at;
    this.#end = end;
  }

  get done(): boolean {
    return this.at >= this.#end;
  }

  byte(): number {
    if (this.at >= this.#end) throw new Malformed(`it ends at byte ${this.#end}`);
    return this.#bytes[this.at++]!;
  }

  /** An unsigned LEB128 number below 2^53. */
  number(): number {
    let value = 0;
    for (let shift = 0; shift < 53; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new Malformed(`a number at byte ${this.at} is too long`);
  }

  count(): number {
    const count = this.number();
    if (count > MAX_NAMES) throw new Malformed(`it has ${count} entries in one section`);
    return count;
  }

  skip(length: number): void {
    if (length > this.#end - this.at) throw new Malformed(`it ends at byte ${this.#end}`);
    this.at += length;
  }

  name(): string {
    const length = this.number();
    const start = this.at;
    this.skip(length);
    return new TextDecoder().decode(this.#bytes.subarray(start, this.at));
  }

  /** `limits` of section 5.3.12, with the flags of threads (bit 1) and memory64 (bit 2). */
  memory(): MemoryLimits {
    const flags = this.byte();
    if (flags > 7) throw new Malformed(`it has a memory with unknown flags ${flags}`);
    const minimum = this.number();
    const maximum = (flags & 1) !== 0 ? this.number() : null;
    return { minimum, maximum, shared: (flags & 2) !== 0, is64: (flags & 4) !== 0 };
  }
}

function scanImport(reader: SectionReader): ModuleImport {
  const module = reader.name();
  const name = reader.name();
  const kind = KINDS[reader.byte()];
  let memory: MemoryLimits | null = null;
  if (kind === "function") reader.number();
  else if (kind === "memory") memory = reader.memory();
  else if (kind === "tag") {
    reader.byte();
    reader.number();
  } else if (kind === "table") {
    scanReferenceType(reader);
    reader.memory();
  } else if (kind === "global") {
    scanReferenceType(reader);
    reader.byte();
  } else throw new Malformed(`import '${module}' '${name}' is of an unknown kind`);
  return { module, name, kind, memory };
}

/** A value type: one byte, or `(ref null? heaptype)` with a signed index. */
function scanReferenceType(reader: SectionReader): void {
  const type = reader.byte();
  if (type === 0x63 || type === 0x64) while (reader.byte() >= 0x80);
}

function scanSections(bytes: Uint8Array): ModuleScan {
  const imports: ModuleImport[] = [];
  const memories: MemoryLimits[] = [];
  const functions = new Set<string>();
  const exports = new Set<string>();
  let tableCount = 0;
  let functionCount = 0;
  let codeBytes = 0;
  const outer = new SectionReader(bytes, 8, bytes.length);
  while (!outer.done) {
    const id = outer.byte();
    const size = outer.number();
    const start = outer.at;
    outer.skip(size);
    const reader = new SectionReader(bytes, start, outer.at);
    if (id === SECTION.import) {
      for (let count = reader.count(); count > 0; count--) imports.push(scanImport(reader));
    } else if (id === SECTION.memory) {
      for (let count = reader.count(); count > 0; count--) memories.push(reader.memory());
    } else if (id === SECTION.export) {
      for (let count = reader.count(); count > 0; count--) {
        const name = reader.name();
        if (reader.byte() === 0) functions.add(name);
        reader.number();
        exports.add(name);
      }
    } else if (id === SECTION.function) functionCount = reader.number();
    else if (id === SECTION.table) tableCount = reader.count();
    else if (id === SECTION.code) codeBytes = size;
  }
  return { imports, memories, functions, exports, tableCount, functionCount, codeBytes };
}

/** What comes before the first section. */
function checkHeader(bytes: Uint8Array): void {
  const found = [...bytes.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, "0"));
  if (found.slice(0, 4).join("") !== "0061736d") {
    throw new DonjonError(
      "workload/invalid",
      `The workload is not WebAssembly: it begins with '${found.slice(0, 4).join(" ")}', wanted '00 61 73 6d'; give a .wasm file`,
    );
  }
  const version = found.slice(4).join("");
  if (version === "01000000") return;
  if (found[6] === "01") {
    throw new DonjonError(
      "workload/unsupported",
      "The workload is a component (WASI 0.2 or later), which is not supported yet; build it as a WASI preview 1 module (for example target wasm32-wasip1)",
    );
  }
  throw new DonjonError(
    "workload/invalid",
    `The workload has WebAssembly version '${version}', wanted '01000000' (version 1)`,
  );
}

/** Scans a module; throws `DonjonError` `workload/invalid` or `workload/unsupported`. */
export function scanModule(bytes: Uint8Array): ModuleScan {
  checkHeader(bytes);
  try {
    return scanSections(bytes);
  } catch (cause) {
    if (!(cause instanceof Malformed)) throw cause;
    throw new DonjonError(
      "workload/invalid",
      `The workload is not a valid module: ${cause.message}; build or copy it again`,
      { cause },
    );
  }
}
