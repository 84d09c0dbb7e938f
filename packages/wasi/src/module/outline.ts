/**
 * What the outer structure of a WebAssembly binary shows without compiling it: imports and exports
 * with their types, memories, sizes and custom sections.
 *
 * Source: WebAssembly core specification 3.0, section 5.5 "Modules"; the tool conventions'
 * `ProducersSection.md`; the component model's `Binary.md` for the header of components.
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

export interface OutlineImport {
  readonly module: string;
  readonly name: string;
  readonly kind: ExternalKind;
  /** As `(i32, i32) -> i32`; `null` for other kinds and for types beyond functions. */
  readonly signature: string | null;
}

export interface OutlineExport {
  readonly name: string;
  readonly kind: ExternalKind;
}

export interface CustomSection {
  readonly name: string;
  /** Bytes of its content, without the name. */
  readonly size: number;
}

/** A row of the `producers` section, for example `processed-by clang 19.1.0`. */
export interface Producer {
  readonly field: string;
  readonly name: string;
  readonly version: string;
}

export interface ModuleOutline {
  readonly imports: readonly OutlineImport[];
  readonly exports: readonly OutlineExport[];
  /** The module's own and the imported ones. */
  readonly memories: readonly MemoryType[];
  readonly customSections: readonly CustomSection[];
  readonly producers: readonly Producer[];
  /** Functions with a body. */
  readonly functionCount: number;
  readonly codeBytes: number;
  readonly dataBytes: number;
}

/** Entries of one section. Real modules have some hundred thousand functions and far fewer of all else. */
const MAX_ENTRIES = 1_000_000;
/** Bytes of one name; the longest mangled names have some thousand. */
const MAX_NAME_BYTES = 100_000;
const SECTION = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  memory: 5,
  export: 7,
  code: 10,
  data: 11,
} as const;
const VALUE_TYPES: Readonly<Record<number, string>> = {
  127: "i32",
  126: "i64",
  125: "f32",
  124: "f64",
  123: "v128",
  112: "funcref",
  111: "externref",
};

/** `component` is told by the header alone; nothing else of it is read. */
export function readBinaryKind(bytes: Uint8Array): "module" | "component" {
  const magic = bytes.subarray(0, 4);
  if (
    magic.length < 4 ||
    new DataView(magic.buffer, magic.byteOffset).getUint32(0) !== 0x0061736d
  ) {
    const found = [...magic].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    throw invalid(`it begins with '${found}', and WebAssembly begins with '00 61 73 6d'`);
  }
  const [v0, v1, layer0, layer1] = bytes.subarray(4, 8);
  if (v0 === 1 && v1 === 0 && layer0 === 0 && layer1 === 0) return "module";
  if (layer0 === 1 && layer1 === 0) return "component";
  throw invalid("its version is not 1");
}

/** @throws DonjonError `workload/invalid`; `workload/unsupported` for a component */
export function parseOutline(bytes: Uint8Array): ModuleOutline {
  if (readBinaryKind(bytes) === "component") {
    throw new DonjonError(
      "workload/unsupported",
      "it is a component (WASI 0.2 or later), not a module",
    );
  }
  try {
    return readSections(new Cursor(bytes.subarray(8)));
  } catch (cause) {
    if (cause instanceof DonjonError && cause.code.startsWith("bytes/")) {
      throw invalid(cause.message, cause);
    }
    throw cause;
  }
}

interface Draft {
  types: (string | null)[];
  imports: OutlineImport[];
  exports: OutlineExport[];
  memories: MemoryType[];
  customSections: CustomSection[];
  producers: Producer[];
  functionCount: number;
  codeBytes: number;
  dataBytes: number;
}

function readSections(cursor: Cursor): ModuleOutline {
  const draft: Draft = {
    types: [],
    imports: [],
    exports: [],
    memories: [],
    customSections: [],
    producers: [],
    functionCount: 0,
    codeBytes: 0,
    dataBytes: 0,
  };
  while (cursor.remaining > 0) {
    const id = cursor.u8("section id");
    const body = cursor.bytes(readNumber(cursor, "section size"), "section");
    readSection(id, new Cursor(body), draft);
  }
  const { types: _, ...outline } = draft;
  return outline;
}

function readSection(id: number, body: Cursor, draft: Draft): void {
  const size = body.remaining;
  switch (id) {
    case SECTION.custom:
      readCustom(body, draft);
      return;
    case SECTION.type:
      draft.types = readTypes(body);
      return;
    case SECTION.import:
      for (let left = readCount(body); left > 0; left--)
        draft.imports.push(readImport(body, draft));
      return;
    case SECTION.function:
      draft.functionCount = readCount(body);
      return;
    case SECTION.memory:
      for (let left = readCount(body); left > 0; left--) draft.memories.push(readMemory(body));
      return;
    case SECTION.export:
      for (let left = readCount(body); left > 0; left--) draft.exports.push(readExport(body));
      return;
    case SECTION.code:
      draft.codeBytes = size;
      return;
    case SECTION.data:
      draft.dataBytes = size;
  }
}

function readCustom(body: Cursor, draft: Draft): void {
  const name = readName(body);
  draft.customSections.push({ name, size: body.remaining });
  if (name !== "producers") return;
  for (let fields = readCount(body); fields > 0; fields--) {
    const field = readName(body);
    for (let values = readCount(body); values > 0; values--) {
      draft.producers.push({ field, name: readName(body), version: readName(body) });
    }
  }
}

/** Function types as text. Other types (garbage collection) end the list: what follows is not told. */
function readTypes(body: Cursor): (string | null)[] {
  const types: (string | null)[] = [];
  for (let left = readCount(body); left > 0; left--) {
    if (body.u8("type") !== 0x60) break;
    const parameters = readValueTypes(body);
    const results = readValueTypes(body);
    if (parameters === null || results === null) break;
    const result = results.length === 1 ? results[0] : `(${results.join(", ")})`;
    types.push(`(${parameters.join(", ")}) -> ${result}`);
  }
  return types;
}

function readValueTypes(body: Cursor): string[] | null {
  const types: string[] = [];
  for (let left = readCount(body); left > 0; left--) {
    const type = VALUE_TYPES[body.u8("value type")];
    if (type === undefined) return null;
    types.push(type);
  }
  return types;
}

function readImport(body: Cursor, draft: Draft): OutlineImport {
  const module = readName(body);
  const name = readName(body);
  const kind = readKind(body);
  let signature: string | null = null;
  if (kind === "function") signature = draft.types[readNumber(body, "type index")] ?? null;
  else if (kind === "memory") draft.memories.push(readMemory(body));
  else if (kind === "table") {
    skipReferenceType(body);
    readMemory(body);
  } else if (kind === "global") {
    skipReferenceType(body);
    body.u8("mutability");
  } else {
    body.u8("tag attribute");
    readNumber(body, "type index");
  }
  return { module, name, kind, signature };
}

function readExport(body: Cursor): OutlineExport {
  const name = readName(body);
  const kind = readKind(body);
  readNumber(body, "export index");
  return { name, kind };
}

function readKind(body: Cursor): ExternalKind {
  const kind = EXTERNAL_KINDS[body.u8("kind")];
  if (kind === undefined) throw invalid("it has an import or export of an unknown kind");
  return kind;
}

/** Limits with the flags of threads (bit 1) and 64-bit memories (bit 2); tables have the same form. */
function readMemory(body: Cursor): MemoryType {
  const flags = body.u8("limits");
  if (flags > 7) throw invalid(`it has limits with unknown flags ${flags}`);
  const minimum = readNumber(body, "minimum");
  const maximum = flags & 1 ? readNumber(body, "maximum") : null;
  return { minimum, maximum, shared: (flags & 2) !== 0, is64: (flags & 4) !== 0 };
}

/** One byte, or `(ref null? heaptype)` with an index. */
function skipReferenceType(body: Cursor): void {
  const type = body.u8("type");
  if (type === 0x63 || type === 0x64) while (body.u8("heap type") >= 0x80);
}

function readName(body: Cursor): string {
  const length = readNumber(body, "name length");
  if (length > MAX_NAME_BYTES) throw invalid(`it has a name of ${length} bytes`);
  return new TextDecoder().decode(body.bytes(length, "name"));
}

function readCount(body: Cursor): number {
  const count = readNumber(body, "count");
  if (count > MAX_ENTRIES) throw invalid(`it has ${count} entries in one section`);
  return count;
}

/** Unsigned LEB128 below 2^53; sizes of 64-bit memories fit. */
function readNumber(cursor: Cursor, what: string): number {
  let value = 0;
  for (let shift = 0; shift < 53; shift += 7) {
    const byte = cursor.u8(what);
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return value;
  }
  throw invalid(`its ${what} is too long`);
}

function invalid(found: string, cause?: unknown): DonjonError {
  return new DonjonError("workload/invalid", `this is no valid WebAssembly: ${found}`, { cause });
}
