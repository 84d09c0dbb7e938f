/**
 * The outer structure of a WebAssembly binary: what must be known before it is compiled. Function bodies, data
 * and custom sections are stepped over, and the engine validates everything afterwards.
 *
 * Source: WebAssembly core specification 3.0, section 5.5 "Modules"; the component model's `Binary.md` for the
 * header of components.
 */
import { Cursor } from "@donjon/core/cursor";
import { DonjonError } from "@donjon/core/errors";

export const EXTERNAL_KINDS = ["function", "table", "memory", "global", "tag"] as const;
export type ExternalKind = (typeof EXTERNAL_KINDS)[number];

export interface MemoryType {
  /** Pages of 64 KiB. */
  readonly minimum: number;
  readonly maximum: number | null;
  readonly shared: boolean;
  readonly is64: boolean;
}

export interface ModuleImport {
  readonly module: string;
  readonly name: string;
  readonly kind: ExternalKind;
  /** Only of memories. */
  readonly memory: MemoryType | null;
  /** Index of a function's type; `null` for other kinds. */
  readonly typeIndex: number | null;
}

export interface ModuleExport {
  readonly name: string;
  readonly kind: ExternalKind;
}

export interface ModuleStructure {
  readonly imports: readonly ModuleImport[];
  readonly exports: readonly ModuleExport[];
  /** Memories of the module itself; imported ones are among `imports`. */
  readonly memories: readonly MemoryType[];
  /** Tables of the module itself. */
  readonly tableCount: number;
  /** Functions with a body. */
  readonly functionCount: number;
  /** Bytes of the code section, and of the data section. */
  readonly codeBytes: number;
  readonly dataBytes: number;
}

/** Entries of one list that is read. Real modules have some thousand. */
const MAX_ENTRIES = 200_000;
/** Bytes of one name; the longest mangled names have some thousand, and V8 allows no more. */
const MAX_NAME_BYTES = 100_000;
const HEADER_BYTES = 8;

export const SECTION = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  export: 7,
  code: 10,
  data: 11,
} as const;

/** @throws DonjonError `workload/invalid`; `workload/unsupported` for a component */
export function parseStructure(bytes: Uint8Array): ModuleStructure {
  const imports: ModuleImport[] = [];
  const exports: ModuleExport[] = [];
  const memories: MemoryType[] = [];
  const sizes = { tableCount: 0, functionCount: 0, codeBytes: 0, dataBytes: 0 };
  walkSections(bytes, (id, body) => {
    if (id === SECTION.import) readList(body, () => imports.push(readImport(body)));
    else if (id === SECTION.function) sizes.functionCount = readNumber(body, "count");
    else if (id === SECTION.table) sizes.tableCount = readCount(body);
    else if (id === SECTION.memory) readList(body, () => memories.push(readMemory(body)));
    else if (id === SECTION.export) readList(body, () => exports.push(readExport(body)));
    else if (id === SECTION.code) sizes.codeBytes = body.remaining;
    else if (id === SECTION.data) sizes.dataBytes = body.remaining;
  });
  return { imports, exports, memories, ...sizes };
}

/**
 * Shows every section, in order, with its id.
 *
 * @throws DonjonError as `parseStructure`; also for a body that `visit` cannot read
 */
export function walkSections(bytes: Uint8Array, visit: (id: number, body: Cursor) => void): void {
  if (readBinaryKind(bytes) === "component") {
    throw new DonjonError(
      "workload/unsupported",
      "the workload is a component (WASI 0.2 or later), which is not supported yet; build it as a WASI preview 1 module (for example target wasm32-wasip1)",
    );
  }
  const cursor = new Cursor(bytes.subarray(HEADER_BYTES));
  try {
    while (cursor.remaining > 0) {
      const id = cursor.u8("section id");
      visit(id, new Cursor(cursor.bytes(readNumber(cursor, "section size"), "section")));
    }
  } catch (cause) {
    if (!(cause instanceof DonjonError && cause.code.startsWith("bytes/"))) throw cause;
    throw malformed(cause.message, cause);
  }
}

/** What is given in place of a module by mistake. */
const KNOWN_MAGIC: Readonly<Record<string, string>> = {
  "7f 45 4c 46": " (a native program: build it for wasm32-wasip1)",
  "28 6d 6f 64": " (a module's text: wat2wasm makes a module of it)",
};

/** `component` is told by the header alone. Throws `DonjonError` `workload/invalid`. */
export function readBinaryKind(bytes: Uint8Array): "module" | "component" {
  const found = [...bytes.subarray(0, HEADER_BYTES)].map((byte) =>
    byte.toString(16).padStart(2, "0"),
  );
  const magic = found.slice(0, 4).join(" ");
  if (magic !== "00 61 73 6d") {
    const is =
      bytes.length === 0 ? "is empty" : `begins with '${magic}'${KNOWN_MAGIC[magic] ?? ""}`;
    throw new DonjonError(
      "workload/invalid",
      `the workload is not WebAssembly: it ${is}, wanted '00 61 73 6d'; give a .wasm file`,
    );
  }
  const version = found.slice(4).join("");
  if (version === "01000000") return "module";
  if (/^.{4}0100$/.test(version)) return "component";
  throw new DonjonError(
    "workload/invalid",
    `the workload has WebAssembly version '${version}', wanted '01000000' (version 1)`,
  );
}

/** Calls `read` once for each entry of a list. */
export function readList(body: Cursor, read: () => void): void {
  for (let left = readCount(body); left > 0; left--) read();
}

export function readName(body: Cursor): string {
  const length = readNumber(body, "name length");
  if (length > MAX_NAME_BYTES) throw malformed(`it has a name of ${length} bytes`);
  return new TextDecoder().decode(body.bytes(length, "name"));
}

/** Unsigned LEB128 below 2^53; sizes of 64-bit memories fit. */
export function readNumber(cursor: Cursor, what: string): number {
  let value = 0;
  for (let shift = 0; shift < 53; shift += 7) {
    const byte = cursor.u8(what);
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80 && Number.isSafeInteger(value)) return value;
  }
  throw malformed(`its ${what} is too large`);
}

function readCount(body: Cursor): number {
  const count = readNumber(body, "count");
  if (count > MAX_ENTRIES) throw malformed(`it has ${count} entries in one section`);
  return count;
}

function readImport(body: Cursor): ModuleImport {
  const module = readName(body);
  const name = readName(body);
  const kind = readKind(body);
  let memory: MemoryType | null = null;
  let typeIndex: number | null = null;
  if (kind === "function") typeIndex = readNumber(body, "type index");
  else if (kind === "memory") memory = readMemory(body);
  else if (kind === "tag") {
    body.u8("tag attribute");
    readNumber(body, "type index");
  } else {
    skipValueType(body);
    if (kind === "table") readMemory(body);
    else body.u8("mutability");
  }
  return { module, name, kind, memory, typeIndex };
}

function readExport(body: Cursor): ModuleExport {
  const name = readName(body);
  const kind = readKind(body);
  readNumber(body, "export index");
  return { name, kind };
}

function readKind(body: Cursor): ExternalKind {
  const kind = EXTERNAL_KINDS[body.u8("kind")];
  if (kind === undefined) throw malformed("it has an import or export of an unknown kind");
  return kind;
}

/** Limits (section 5.3.12) with the flags of threads (bit 1) and 64-bit memories (bit 2); tables have the same form. */
function readMemory(body: Cursor): MemoryType {
  const flags = body.u8("limits");
  if (flags > 7) throw malformed(`it has limits with unknown flags ${flags}`);
  const minimum = readNumber(body, "minimum");
  const maximum = flags & 1 ? readNumber(body, "maximum") : null;
  return { minimum, maximum, shared: (flags & 2) !== 0, is64: (flags & 4) !== 0 };
}

/** One byte, or `(ref null? heaptype)` with a signed index. */
function skipValueType(body: Cursor): void {
  const type = body.u8("type");
  if (type === 0x63 || type === 0x64) while (body.u8("heap type") >= 0x80);
}

function malformed(found: string, cause?: unknown): DonjonError {
  return new DonjonError(
    "workload/invalid",
    `the workload is not a valid module: ${found}; build or copy it again`,
    { cause },
  );
}
