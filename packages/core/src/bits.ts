/** Bit fields of one integer, written once as a table; see `layout.ts`. */

export interface BitField {
  /** Lowest bit. */
  readonly bit: number;
  /** Number of bits; one-bit fields decode to a boolean, wider ones to a number. */
  readonly width: number;
  readonly name: string;
  /** In words, for documentation. */
  readonly says?: string;
}

export interface BitLayout<Fields extends readonly BitField[] = readonly BitField[]> {
  readonly name: string;
  readonly source: string;
  readonly width: 32 | 64;
  readonly fields: Fields;
}

export type DecodedBits<L extends BitLayout> = {
  readonly [F in L["fields"][number] as F["name"]]: F["width"] extends 1 ? boolean : number;
};

export function defineBits<const Fields extends readonly BitField[]>(
  layout: BitLayout<Fields>,
): BitLayout<Fields> {
  let at = 0;
  for (const field of layout.fields) {
    if (field.bit < at || field.bit + field.width > layout.width) {
      throw new RangeError(`${layout.name}.${field.name} overlaps or is out of order`);
    }
    at = field.bit + field.width;
  }
  return layout;
}

export function decodeBits<L extends BitLayout>(layout: L, value: bigint): DecodedBits<L> {
  const out: Record<string, boolean | number> = {};
  for (const { bit, width, name } of layout.fields) {
    const part = BigInt.asUintN(width, value >> BigInt(bit));
    out[name] = width === 1 ? part === 1n : Number(part);
  }
  return out as DecodedBits<L>;
}

/** The set bits that no field of the table names, in place. */
export function unknownBits(layout: BitLayout, value: bigint): bigint {
  let rest = value;
  for (const { bit, width } of layout.fields)
    rest &= ~(((1n << BigInt(width)) - 1n) << BigInt(bit));
  return rest;
}

/** @throws RangeError when a value does not fit its field */
export function encodeBits<L extends BitLayout>(layout: L, values: DecodedBits<L>): bigint {
  let out = 0n;
  for (const { bit, width, name } of layout.fields) {
    const value = BigInt((values as Record<string, boolean | number>)[name] ?? 0);
    if (BigInt.asUintN(width, value) !== value)
      throw new RangeError(`${layout.name}.${name} does not fit ${width} bits`);
    out |= value << BigInt(bit);
  }
  return out;
}
