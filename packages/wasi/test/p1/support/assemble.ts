/**
 * Assembles small wasm modules from hand-written instructions. It knows just what the tests need:
 * imported functions, one memory, data and exported functions.
 * Source: WebAssembly Core Specification 2.0, section 5 (binary format).
 */

/** One letter a value: `i` is i32, `I` is i64. */
export type Types = string;

export interface ImportedFunction {
  readonly module: string;
  readonly name: string;
  readonly params: Types;
  readonly result: Types;
}

export interface DefinedFunction {
  readonly name: string;
  readonly params?: Types;
  readonly result?: Types;
  /** Types of locals after the parameters. */
  readonly locals?: Types;
  /** Instructions without the final `end`. */
  readonly body: readonly number[];
}

export interface ModuleSource {
  readonly imports?: readonly ImportedFunction[];
  readonly functions: readonly DefinedFunction[];
  readonly memory?: {
    readonly pages: number;
    readonly max?: number;
    /** Imported as `env.memory`; wants `max`. */
    readonly shared?: boolean;
  };
  readonly data?: readonly { readonly at: number; readonly bytes: Uint8Array }[];
}

/** Opcodes by name. */
export const op = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  try: 0x06,
  catchAll: 0x19,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  call: 0x10,
  drop: 0x1a,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  i32Const: 0x41,
  i64Const: 0x42,
  i32Sub: 0x6b,
  i32Store: 0x36,
  memoryGrow: 0x40,
  empty: 0x40,
} as const;

/** Signed LEB128 of an i32 or i64 of any sign; numbers above the signed range wrap. */
export function leb(value: number | bigint, bits = 64): number[] {
  let rest = BigInt.asIntN(bits, BigInt(value));
  const bytes: number[] = [];
  for (;;) {
    const byte = Number(rest & 0x7fn);
    rest >>= 7n;
    const done = (rest === 0n && byte < 0x40) || (rest === -1n && byte >= 0x40);
    bytes.push(done ? byte : byte | 0x80);
    if (done) return bytes;
  }
}

/** Unsigned LEB128. */
export function uleb(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const byte = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? byte | 0x80 : byte);
  } while (rest > 0);
  return bytes;
}

export function i32(value: number): number[] {
  return [op.i32Const, ...leb(value, 32)];
}

export function i64(value: bigint): number[] {
  return [op.i64Const, ...leb(value)];
}

export function constant(type: string, value: number | bigint): number[] {
  return type === "I" ? i64(BigInt(value)) : i32(Number(value));
}

export function assemble(source: ModuleSource): Uint8Array<ArrayBuffer> {
  const { imports = [], functions, memory, data = [] } = source;
  const types = [...imports, ...functions].map(functionType);
  const importEntries = imports.map(({ module, name }, index) => [
    ...text(module),
    ...text(name),
    0,
    ...uleb(index),
  ]);
  if (memory?.shared) {
    importEntries.push([...text("env"), ...text("memory"), 2, ...limits(memory)]);
  }
  const exported = functions.map(({ name }, index) => [
    ...text(name),
    0,
    ...uleb(imports.length + index),
  ]);
  if (memory !== undefined) exported.push([...text("memory"), 2, 0]);
  return Uint8Array.of(
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, vector(types)),
    ...section(2, vector(importEntries)),
    ...section(3, vector(functions.map((_, index) => uleb(imports.length + index)))),
    ...section(5, vector(memory === undefined || memory.shared ? [] : [limits(memory)])),
    ...section(7, vector(exported)),
    ...section(10, vector(functions.map(code))),
    ...section(
      11,
      vector(data.map(({ at, bytes }) => [0, ...i32(at), op.end, ...uleb(bytes.length), ...bytes])),
    ),
  );
}

function functionType({ params = "", result = "" }: { params?: Types; result?: Types }): number[] {
  return [0x60, ...valueTypes(params), ...valueTypes(result)];
}

function valueTypes(types: Types): number[] {
  return vector([...types].map((type) => [valueType(type)]));
}

function valueType(type: string): number {
  return type === "I" ? 0x7e : 0x7f;
}

function code({ locals = "", body }: DefinedFunction): number[] {
  const declared = vector([...locals].map((type) => [1, valueType(type)]));
  const bytes = [...declared, ...body, op.end];
  return [...uleb(bytes.length), ...bytes];
}

function limits(memory: { pages: number; max?: number; shared?: boolean }): number[] {
  const flags = (memory.max === undefined ? 0 : 1) | (memory.shared ? 2 : 0);
  const max = memory.max === undefined ? [] : uleb(memory.max);
  return [flags, ...uleb(memory.pages), ...max];
}

function section(id: number, content: readonly number[]): number[] {
  // An empty vector is one byte, its length 0.
  return content.length === 1 ? [] : [id, ...uleb(content.length), ...content];
}

function vector(items: readonly (readonly number[])[]): number[] {
  return [...uleb(items.length), ...items.flat()];
}

function text(value: string): number[] {
  const bytes = new TextEncoder().encode(value);
  return [...uleb(bytes.length), ...bytes];
}
