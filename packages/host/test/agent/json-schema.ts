/** As much of JSON Schema (2020-12) as the agent's OpenAPI document uses. An unknown keyword is an error of the test. */

type Schema = { readonly [keyword: string]: unknown };
type Resolve = (ref: string) => Schema;

const ANNOTATIONS = new Set(["description", "title"]);

/** Why `value` does not fit, or `null` when it does. */
export function checkSchema(schema: Schema, value: unknown, resolve: Resolve): string | null {
  for (const [keyword, argument] of Object.entries(schema)) {
    if (ANNOTATIONS.has(keyword)) continue;
    const check = CHECKS[keyword];
    if (check === undefined) throw new Error(`the schema uses '${keyword}'`);
    const why = check(argument as never, value, { schema, resolve });
    if (why !== null) return why;
  }
  return null;
}

interface Context {
  readonly schema: Schema;
  readonly resolve: Resolve;
}
type Check = (argument: never, value: unknown, context: Context) => string | null;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return Number.isInteger(value) ? "integer" : typeof value;
}

const says = (ok: boolean, why: string): string | null => (ok ? null : why);

function first<T>(items: readonly T[], check: (item: T) => string | null): string | null {
  for (const item of items) {
    const why = check(item);
    if (why !== null) return why;
  }
  return null;
}

const CHECKS: Readonly<Record<string, Check>> = {
  $ref: (ref: string, value, { resolve }) => checkSchema(resolve(ref), value, resolve),
  type: (types: string | readonly string[], value) =>
    says([types].flat().includes(typeOf(value)), `is ${typeOf(value)}, wanted ${types}`),
  enum: (values: readonly unknown[], value) => says(values.includes(value), `is none of ${values}`),
  const: (wanted: unknown, value) => says(value === wanted, `is not ${wanted}`),
  pattern: (pattern: string, value) =>
    says(typeof value !== "string" || new RegExp(pattern).test(value), `does not match ${pattern}`),
  minLength: (min: number, value) =>
    says(typeof value !== "string" || value.length >= min, "is too short"),
  maxLength: (max: number, value) =>
    says(typeof value !== "string" || value.length <= max, "is too long"),
  minimum: (min: number, value) =>
    says(typeof value !== "number" || value >= min, `is below ${min}`),
  maximum: (max: number, value) =>
    says(typeof value !== "number" || value <= max, `is above ${max}`),
  maxItems: (max: number, value) =>
    says(!Array.isArray(value) || value.length <= max, "has too many items"),
  items: (schema: Schema, value, { resolve }) =>
    Array.isArray(value)
      ? first([...value.entries()], ([i, each]) => at(`[${i}]`, checkSchema(schema, each, resolve)))
      : null,
  anyOf: (schemas: readonly Schema[], value, { resolve }) => {
    const reasons = schemas.map((each) => checkSchema(each, value, resolve));
    return says(reasons.includes(null), reasons.join("; "));
  },
  required: (names: readonly string[], value) =>
    isObject(value)
      ? first(names, (name) => says(Object.hasOwn(value, name), `lacks ${name}`))
      : null,
  properties: (schemas: Readonly<Record<string, Schema>>, value, { resolve }) =>
    isObject(value)
      ? first(Object.entries(schemas), ([name, each]) =>
          Object.hasOwn(value, name)
            ? at(`.${name}`, checkSchema(each, value[name], resolve))
            : null,
        )
      : null,
  additionalProperties: (rule: false | Schema, value, { schema, resolve }) => {
    if (!isObject(value)) return null;
    const known = Object.keys((schema["properties"] as object | undefined) ?? {});
    const others = Object.keys(value).filter((name) => !known.includes(name));
    return first(others, (name) =>
      rule === false
        ? `has an unknown ${name}`
        : at(`.${name}`, checkSchema(rule, value[name], resolve)),
    );
  },
  propertyNames: (schema: Schema, value, { resolve }) =>
    isObject(value)
      ? first(Object.keys(value), (name) => checkSchema(schema, name, resolve))
      : null,
  maxProperties: (max: number, value) =>
    says(!isObject(value) || Object.keys(value).length <= max, "has too many properties"),
};

function at(place: string, why: string | null): string | null {
  return why === null ? null : `${place} ${why}`;
}
