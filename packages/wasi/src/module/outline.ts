/**
 * What a WebAssembly binary shows a person without being compiled: its structure, with types in words, custom
 * sections and the toolchain.
 *
 * Source: WebAssembly core specification 3.0, section 5.5 "Modules"; the tool conventions' `ProducersSection.md`.
 */
import type { Cursor } from "@donjon/core/cursor";
import {
  type ExternalKind,
  type MemoryType,
  type ModuleExport,
  parseStructure,
  readList,
  readName,
  readNumber,
  SECTION,
  walkSections,
} from "./structure.ts";

export interface OutlineImport {
  readonly module: string;
  readonly name: string;
  readonly kind: ExternalKind;
  /** As `(i32, i32) -> i32`; `null` for other kinds and for types beyond functions. */
  readonly signature: string | null;
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
  readonly exports: readonly ModuleExport[];
  /** The imported ones, then the module's own. */
  readonly memories: readonly MemoryType[];
  readonly customSections: readonly CustomSection[];
  readonly producers: readonly Producer[];
  /** Functions with a body. */
  readonly functionCount: number;
  readonly codeBytes: number;
  readonly dataBytes: number;
}

const VALUE_TYPES: Readonly<Record<number, string>> = {
  127: "i32",
  126: "i64",
  125: "f32",
  124: "f64",
  123: "v128",
  112: "funcref",
  111: "externref",
};

/** @throws DonjonError `workload/invalid`; `workload/unsupported` for a component */
export function parseOutline(bytes: Uint8Array): ModuleOutline {
  const { imports, exports, memories, functionCount, codeBytes, dataBytes } = parseStructure(bytes);
  let types: readonly string[] = [];
  const customSections: CustomSection[] = [];
  const producers: Producer[] = [];
  walkSections(bytes, (id, body) => {
    if (id === SECTION.type) types = readTypes(body);
    else if (id === SECTION.custom) {
      const name = readName(body);
      customSections.push({ name, size: body.remaining });
      if (name === "producers") producers.push(...readProducers(body));
    }
  });
  return {
    imports: imports.map(({ module, name, kind, typeIndex }) => {
      return { module, name, kind, signature: types[typeIndex ?? -1] ?? null };
    }),
    exports,
    memories: [...imports.flatMap(({ memory }) => memory ?? []), ...memories],
    customSections,
    producers,
    functionCount,
    codeBytes,
    dataBytes,
  };
}

function readProducers(body: Cursor): Producer[] {
  const producers: Producer[] = [];
  readList(body, () => {
    const field = readName(body);
    readList(body, () => {
      producers.push({ field, name: readName(body), version: readName(body) });
    });
  });
  return producers;
}

/** Function types as text. Other types (garbage collection) end the list: what follows is not told. */
function readTypes(body: Cursor): string[] {
  const types: string[] = [];
  for (let left = readNumber(body, "count"); left > 0; left--) {
    if (body.u8("type") !== 0x60) break;
    const parameters = readValueTypes(body);
    const results = parameters && readValueTypes(body);
    if (parameters === null || results === null) break;
    const result = results.length === 1 ? results[0] : `(${results.join(", ")})`;
    types.push(`(${parameters.join(", ")}) -> ${result}`);
  }
  return types;
}

function readValueTypes(body: Cursor): string[] | null {
  const types: string[] = [];
  for (let left = readNumber(body, "count"); left > 0; left--) {
    const type = VALUE_TYPES[body.u8("value type")];
    if (type === undefined) return null;
    types.push(type);
  }
  return types;
}
