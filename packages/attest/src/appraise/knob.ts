/**
 * Knobs of a policy: each reads one value of the policy, from TOML or from an object, into a type. A section of a
 * policy is a table of knobs; its type, its reader and its documentation come from the table.
 */
import { DonjonError } from "@donjon/core/errors";

export interface Knob<T> {
  /** What a value looks like, for documentation and people. */
  readonly form: string;
  /** @throws DonjonError `policy/value` */
  readonly read: (value: unknown, path: string) => T;
}

export type Knobs = Readonly<Record<string, Knob<unknown>>>;

/** The type of a section; every knob may be left out. */
export type SectionOf<K extends Knobs> = {
  readonly [Name in keyof K]?: K[Name] extends Knob<infer T> ? T : never;
};

/** The word that says, by name, that any value is accepted. */
export const ANY = "any";

/** Values in one list; a fleet's measurements fit, and a list is searched once for each appraisal. */
const MAX_LIST = 4096;

/** One value or a list of values, in hexadecimal, of `bytes` octets each. */
export function hexList(bytes: number): Knob<readonly string[]> {
  return {
    form: `${bytes} octets in hexadecimal, one or a list`,
    read: (value, path) => readHexList(value, path, bytes),
  };
}

/** As `hexList`, or the word `any`. */
export function hexListOrAny(bytes: number): Knob<readonly string[] | typeof ANY> {
  return {
    form: `${bytes} octets in hexadecimal, one or a list, or \`any\``,
    read: (value, path) => (value === ANY ? ANY : readHexList(value, path, bytes)),
  };
}

export function flag(): Knob<boolean> {
  return {
    form: `true or false`,
    read: (value, path) => {
      if (typeof value !== "boolean") throw wrong(path, value, "true or false");
      return value;
    },
  };
}

export function count(): Knob<number> {
  return { form: `a whole number`, read: readCount };
}

export function countList(): Knob<readonly number[]> {
  return {
    form: `a whole number or a list`,
    read: (value, path) =>
      readList(value, path).map((item, at) => readCount(item, `${path}[${at}]`)),
  };
}

export function textList(words?: readonly string[]): Knob<readonly string[]> {
  const wanted = words === undefined ? "text" : `one of ${words.join(", ")}`;
  return {
    form: words === undefined ? "text or a list" : `of ${words.join(", ")}`,
    read: (value, path) =>
      readList(value, path).map((item, at) => {
        if (typeof item !== "string" || (words !== undefined && !words.includes(item))) {
          throw wrong(`${path}[${at}]`, item, wanted);
        }
        return item;
      }),
  };
}

/** A number in hexadecimal, every set bit of which is wanted. */
export function mask(): Knob<bigint> {
  return {
    form: `a number in hexadecimal`,
    read: (value, path) => {
      if (typeof value === "bigint" && value >= 0n) return value;
      if (typeof value !== "string" || !/^(0x)?[0-9a-f]{1,16}$/i.test(value))
        throw wrong(path, value, "up to 16 hexadecimal digits");
      return BigInt(`0x${value.replace(/^0x/i, "")}`);
    },
  };
}

/** A table of whole numbers with names from `names`, each a floor. */
export function floors<const Names extends readonly string[]>(
  names: Names,
): Knob<{ readonly [Name in Names[number]]?: number }> {
  return {
    form: `a table of ${names.join(", ")}`,
    read: (value, path) => {
      const out: Record<string, number> = {};
      for (const [name, item] of Object.entries(readTable(value, path))) {
        if (!names.includes(name)) throw unknownKey(`${path}.${name}`, names);
        out[name] = readCount(item, `${path}.${name}`);
      }
      return out as { readonly [Name in Names[number]]?: number };
    },
  };
}

/**
 * Reads a section: only known keys. Keys may be written `reportData` (objects) or `report_data` (TOML).
 * @throws DonjonError `policy/unknown-key`, `policy/value`
 */
export function readSection<K extends Knobs>(knobs: K, value: unknown, path: string): SectionOf<K> {
  const out: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(readTable(value, path))) {
    if (item === undefined) continue;
    const name = camelCase(key);
    const where = path === "" ? key : `${path}.${key}`;
    const knob = Object.hasOwn(knobs, name) ? knobs[name] : undefined;
    if (knob === undefined) throw unknownKey(where, Object.keys(knobs).map(snakeCase));
    if (Object.hasOwn(out, name)) throw wrong(where, item, "each key once");
    out[name] = knob.read(item, where);
  }
  return out as SectionOf<K>;
}

export function camelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

export function readTable(value: unknown, path: string): object {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw wrong(path || "policy", value, "a table");
  return value;
}

export function wrong(path: string, found: unknown, wanted: string): DonjonError {
  const shown = typeof found === "string" ? `'${found.slice(0, 80)}'` : String(found).slice(0, 80);
  return new DonjonError(
    "policy/value",
    `Cannot use '${path}' of the policy: found ${shown}, wanted ${wanted}`,
    { details: { key: path } },
  );
}

function unknownKey(path: string, known: readonly string[]): DonjonError {
  return new DonjonError(
    "policy/unknown-key",
    `Cannot use the policy: found unknown key '${path}', wanted one of ${known.join(", ")}`,
    { details: { key: path } },
  );
}

function readHexList(value: unknown, path: string, bytes: number): readonly string[] {
  return readList(value, path).map((item, at) => {
    if (typeof item !== "string" || item.length !== 2 * bytes || !/^[0-9a-f]*$/i.test(item)) {
      throw wrong(`${path}[${at}]`, item, `${bytes} octets in hexadecimal`);
    }
    return item.toLowerCase();
  });
}

function readList(value: unknown, path: string): readonly unknown[] {
  const list = Array.isArray(value) ? value : [value];
  // An empty list would accept nothing; who writes one has made a mistake.
  if (list.length === 0 || list.length > MAX_LIST)
    throw wrong(path, `${list.length} values`, `1 to ${MAX_LIST}`);
  return list;
}

function readCount(value: unknown, path: string): number {
  const number = typeof value === "bigint" ? Number(value) : value;
  if (typeof number !== "number" || !Number.isSafeInteger(number) || number < 0)
    throw wrong(path, value, "a whole number from 0");
  return number;
}
