/**
 * Fixed binary layouts, written once as a table in the order of the specification. Decoder, encoder
 * and documentation come from the table, so they cannot disagree.
 *
 * A reserved field must be zero. A field newer than the version being read counts as reserved, as
 * the older specification has it.
 */
import { isZero } from "./bytes.ts";
import type { ByteOrder } from "./cursor.ts";
import { DonjonError } from "./errors.ts";

export type FieldKind = "u8" | "u16" | "u32" | "u64" | "bytes" | "zero";

export interface Field {
  readonly offset: number;
  /** The specification's name in camelCase; documentation prints it as the specification does. */
  readonly name: string;
  readonly kind: FieldKind;
  /** Octets. */
  readonly size: number;
  /** First layout version that has the field; 0 when all have it. */
  readonly since: number;
  /** In words, for documentation. */
  readonly says?: string | undefined;
}

export interface Layout<Fields extends readonly Field[] = readonly Field[]> {
  readonly name: string;
  /** Specification and section. */
  readonly source: string;
  /** Octets. */
  readonly size: number;
  readonly byteOrder: ByteOrder;
  readonly fields: Fields;
}

type ValueOf<F extends Field> = F["kind"] extends "bytes"
  ? Uint8Array
  : F["kind"] extends "u64"
    ? bigint
    : number;
type Present<F extends Field> = F["since"] extends 0 ? ValueOf<F> : ValueOf<F> | undefined;

/** What a layout decodes to: one property a field, `undefined` where the version lacks the field. */
export type Decoded<L extends Layout> = {
  readonly [F in L["fields"][number] as F["kind"] extends "zero" ? never : F["name"]]: Present<F>;
};

export interface LayoutOptions {
  /** Version to read or write; fields with a later `since` are reserved. Default: every field is there. */
  readonly version?: number;
  /** `ignore` reads a version that is not known yet, in which reserved octets may mean something. Default `refuse`. */
  readonly reserved?: "refuse" | "ignore";
}

const INTEGER_SIZE = { u8: 1, u16: 2, u32: 4, u64: 8 } as const;

/** One integer field. */
export function int<const N extends string, K extends keyof typeof INTEGER_SIZE>(
  offset: number,
  name: N,
  kind: K,
  says?: string,
) {
  return { offset, name, kind, size: INTEGER_SIZE[kind], since: 0, says } as const;
}

/** One field of `size` octets. */
export function octets<const N extends string>(
  offset: number,
  name: N,
  size: number,
  says?: string,
) {
  return { offset, name, kind: "bytes", size, since: 0, says } as const;
}

/** A field that came with a version of the layout. */
export function since<const V extends number, F extends Field>(version: V, field: F) {
  return { ...field, since: version } as Omit<F, "since"> & { readonly since: V };
}

/** `size` octets that must be zero. */
export function zero(offset: number, size: number) {
  return { offset, name: "reserved", kind: "zero", size, since: 0 } as const;
}

/**
 * Checks a table: fields in order, no gap, no overlap, ending at `size`.
 * @throws RangeError when the table itself is wrong
 */
export function defineLayout<const Fields extends readonly Field[]>(
  layout: Layout<Fields>,
): Layout<Fields> {
  let at = 0;
  for (const field of layout.fields) {
    if (field.offset !== at) {
      throw new RangeError(
        `${layout.name}.${field.name} is at ${field.offset}, the field before ends at ${at}`,
      );
    }
    at += field.size;
  }
  if (at !== layout.size)
    throw new RangeError(`${layout.name} ends at ${at}, not at ${layout.size}`);
  return layout;
}

/**
 * Reads exactly `layout.size` octets. Byte fields are views of `bytes`, not copies.
 * @throws DonjonError `bytes/truncated`, `bytes/trailing`, `bytes/invalid` (a reserved octet is not zero)
 */
export function decodeLayout<L extends Layout>(
  layout: L,
  bytes: Uint8Array,
  options: LayoutOptions = {},
): Decoded<L> {
  if (bytes.length !== layout.size) {
    throw new DonjonError(
      bytes.length < layout.size ? "bytes/truncated" : "bytes/trailing",
      `Cannot read ${layout.name}: found ${bytes.length} octets, wanted ${layout.size}`,
      { details: { found: bytes.length, wanted: layout.size } },
    );
  }
  const { version = Number.POSITIVE_INFINITY, reserved = "refuse" } = options;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = layout.byteOrder === "little";
  const out: Record<string, number | bigint | Uint8Array | undefined> = {};
  for (const field of layout.fields) {
    if (field.kind !== "zero" && field.since <= version) {
      out[field.name] = readField(view, bytes, field, little);
      continue;
    }
    if (field.kind !== "zero") out[field.name] = undefined;
    if (reserved === "refuse") refuseNonZero(layout, field, bytes);
  }
  return out as Decoded<L>;
}

/**
 * The octets of a layout; reserved ones are zero.
 * @throws RangeError when a value does not fit its field, or a field is given that the version lacks
 */
export function encodeLayout<L extends Layout>(
  layout: L,
  values: Decoded<L>,
  options: Pick<LayoutOptions, "version"> = {},
): Uint8Array<ArrayBuffer> {
  const { version = Number.POSITIVE_INFINITY } = options;
  const bytes = new Uint8Array(layout.size);
  const view = new DataView(bytes.buffer);
  const little = layout.byteOrder === "little";
  for (const field of layout.fields) {
    if (field.kind === "zero") continue;
    const value = (values as Record<string, unknown>)[field.name];
    if (field.since > version && value === undefined) continue;
    if (field.since > version) {
      throw new RangeError(`${layout.name}.${field.name} is not in version ${version}`);
    }
    writeField(view, bytes, layout, field, value, little);
  }
  return bytes;
}

function readField(view: DataView, bytes: Uint8Array, field: Field, little: boolean) {
  switch (field.kind) {
    case "u8":
      return view.getUint8(field.offset);
    case "u16":
      return view.getUint16(field.offset, little);
    case "u32":
      return view.getUint32(field.offset, little);
    case "u64":
      return view.getBigUint64(field.offset, little);
    default:
      return bytes.subarray(field.offset, field.offset + field.size);
  }
}

function writeField(
  view: DataView,
  bytes: Uint8Array,
  layout: Layout,
  field: Field,
  value: unknown,
  little: boolean,
): void {
  if (field.kind === "bytes" && value instanceof Uint8Array && value.length === field.size) {
    bytes.set(value, field.offset);
  } else if (
    field.kind === "u64" &&
    typeof value === "bigint" &&
    BigInt.asUintN(64, value) === value
  ) {
    view.setBigUint64(field.offset, value, little);
  } else if (
    typeof value === "number" &&
    Number.isInteger(value) &&
    value >= 0 &&
    value < 2 ** (8 * field.size)
  ) {
    if (field.kind === "u8") view.setUint8(field.offset, value);
    else if (field.kind === "u16") view.setUint16(field.offset, value, little);
    else view.setUint32(field.offset, value, little);
  } else {
    throw new RangeError(
      `${layout.name}.${field.name} does not hold the value given: wanted ${field.kind}, ${field.size} octets`,
    );
  }
}

function refuseNonZero(layout: Layout, field: Field, bytes: Uint8Array): void {
  if (isZero(bytes.subarray(field.offset, field.offset + field.size))) return;
  throw new DonjonError(
    "bytes/invalid",
    `Cannot accept ${layout.name} with reserved octets in use: found a value other than zero in ${field.size} octets at offset ${field.offset}, wanted zero`,
    { details: { offset: field.offset, size: field.size } },
  );
}
