/** Strict checks of JSON values: nothing missing, nothing unknown, everything in its range. */
import { DonjonError } from "@donjon/core/errors";

/** Returns the value as `T`, or throws `session/protocol` naming `path`. */
export type Shape<T> = (value: unknown, path: string) => T;

type Fields = Readonly<Record<string, Shape<unknown>>>;
export type Shaped<S> = S extends Shape<infer T> ? T : never;
type RecordOf<F extends Fields> = { readonly [K in keyof F]: Shaped<F[K]> };

function wrong(path: string, value: unknown, wanted: string): DonjonError {
  const found = value === null ? "null" : Array.isArray(value) ? "an array" : typeof value;
  const shown = typeof value === "number" || typeof value === "boolean" ? String(value) : found;
  return new DonjonError("session/protocol", `the message's ${path} is ${shown}, wanted ${wanted}`);
}

export function integer(min: number, max: number): Shape<number> {
  return (value, path) => {
    if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max) {
      return value as number;
    }
    throw wrong(path, value, `an integer from ${min} to ${max}`);
  };
}

export const boolean: Shape<boolean> = (value, path) => {
  if (typeof value === "boolean") return value;
  throw wrong(path, value, "true or false");
};

export function finite(max: number): Shape<number> {
  return (value, path) => {
    if (typeof value === "number" && value >= 0 && value <= max) return value;
    throw wrong(path, value, `a number from 0 to ${max}`);
  };
}

/** Text of `min` to `max` UTF-16 code units, well-formed. */
export function text(min: number, max: number): Shape<string> {
  return (value, path) => {
    if (
      typeof value === "string" &&
      value.length >= min &&
      value.length <= max &&
      value.isWellFormed()
    ) {
      return value;
    }
    throw wrong(path, value, `well-formed text of ${min} to ${max} characters`);
  };
}

export function matching(pattern: RegExp, wanted: string): Shape<string> {
  return (value, path) => {
    if (typeof value === "string" && pattern.test(value)) return value;
    throw wrong(path, value, wanted);
  };
}

export function oneOf<const T extends string>(...values: readonly T[]): Shape<T> {
  return (value, path) => {
    const found = values.find((each) => each === value);
    if (found !== undefined) return found;
    throw wrong(path, value, `one of ${values.join(", ")}`);
  };
}

export function array<T>(item: Shape<T>, max: number): Shape<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw wrong(path, value, "an array");
    if (value.length > max) throw wrong(`${path}.length`, value.length, `at most ${max}`);
    return value.map((each, index) => item(each, `${path}[${index}]`));
  };
}

function asObject(value: unknown, path: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw wrong(path, value, "an object");
}

/** An object with exactly these fields. */
export function record<F extends Fields>(fields: F): Shape<RecordOf<F>> {
  const names = Object.keys(fields);
  return (value, path) => {
    const object = asObject(value, path);
    for (const name of Object.keys(object)) {
      if (!names.includes(name)) {
        throw new DonjonError(
          "session/protocol",
          `the message's ${path} has an unknown field ${JSON.stringify(name.slice(0, 64))}, wanted ${names.join(", ")}`,
        );
      }
    }
    const result: Record<string, unknown> = {};
    for (const name of names) result[name] = fields[name]!(object[name], `${path}.${name}`);
    return result as RecordOf<F>;
  };
}

/** An object of up to `max` fields whose names the sender chooses; comes back as a `Map`. */
export function mapOf<T>(item: Shape<T>, max: number): Shape<ReadonlyMap<string, T>> {
  return (value, path) => {
    const entries = Object.entries(asObject(value, path));
    if (entries.length > max) throw wrong(`${path}'s size`, entries.length, `at most ${max}`);
    return new Map(entries.map(([name, each]) => [name, item(each, `${path}.${name}`)]));
  };
}

/** An object whose field `tag` says which of the shapes it has. */
export function taggedUnion<T>(tag: string, shapes: Readonly<Record<string, Shape<T>>>): Shape<T> {
  return (value, path) => {
    const name = asObject(value, path)[tag];
    if (typeof name === "string" && Object.hasOwn(shapes, name)) return shapes[name]!(value, path);
    throw wrong(`${path}.${tag}`, name, `one of ${Object.keys(shapes).join(", ")}`);
  };
}

export function literal<const T extends string>(value: T): Shape<T> {
  return oneOf(value);
}
