import { formatPath, ManifestFault, type TomlPath } from "./fault.ts";
import type {
  Checked,
  DurationShape,
  IntegerShape,
  ListShape,
  MapShape,
  Shape,
  SizeShape,
  StringShape,
  TableShape,
  VariantShape,
} from "./shape.ts";
import { suggestNearest } from "./suggest.ts";
import { DURATION_WANTED, parseDuration, parseSize, SIZE_WANTED } from "./units.ts";

/**
 * Checks a parsed TOML value against a shape and fills in fallbacks.
 *
 * @throws ManifestFault `manifest/value`, `manifest/unknown-key`
 */
export function checkShape<S extends Shape>(value: unknown, shape: S, path: TomlPath): Checked<S> {
  return checkValue(value, shape, path) as Checked<S>;
}

function checkValue(value: unknown, shape: Shape, path: TomlPath): unknown {
  switch (shape.type) {
    case "string":
      return checkString(value, shape, path);
    case "integer":
      return checkInteger(value, shape, path);
    case "boolean":
      if (typeof value !== "boolean") throw refuse(value, "true or false", path);
      return value;
    case "size":
      return checkSize(value, shape, path);
    case "duration":
      return checkDuration(value, shape, path);
    case "list":
      return checkList(value, shape, path);
    case "map":
      return checkMap(value, shape, path);
    case "table":
      return checkTable(value, shape, path, []);
    case "variant":
      return checkVariant(value, shape, path);
  }
}

function checkString(value: unknown, shape: StringShape, path: TomlPath): string {
  const wanted = shape.choices
    ? shape.choices.map((choice) => `"${choice}"`).join(" or ")
    : (shape.wanted ?? "a text");
  if (typeof value !== "string") throw refuse(value, wanted, path);
  if (value.length > shape.maxLength) {
    throw refuse(value, `at most ${shape.maxLength} characters`, path);
  }
  if (shape.choices && !shape.choices.includes(value)) {
    throw refuse(value, wanted, path, suggestNearest(value, shape.choices));
  }
  if (!(shape.pattern?.test(value) ?? true) || !value.isWellFormed()) {
    throw refuse(value, wanted, path);
  }
  return value;
}

function checkInteger(value: unknown, shape: IntegerShape, path: TomlPath): number {
  const fits =
    Number.isInteger(value) && (value as number) >= shape.min && (value as number) <= shape.max;
  if (!fits) throw refuse(value, `a whole number from ${shape.min} to ${shape.max}`, path);
  return value as number;
}

function checkSize(value: unknown, shape: SizeShape, path: TomlPath): number {
  const bytes = typeof value === "string" ? parseSize(value) : value;
  if (!Number.isSafeInteger(bytes)) throw refuse(value, SIZE_WANTED, path);
  if ((bytes as number) < shape.min || (bytes as number) > shape.max) {
    throw refuse(value, `from ${shape.min} to ${shape.max} bytes`, path);
  }
  return bytes as number;
}

function checkDuration(value: unknown, shape: DurationShape, path: TomlPath): number {
  const ms = typeof value === "string" ? parseDuration(value) : null;
  if (ms === null) throw refuse(value, DURATION_WANTED, path);
  if (ms < 1 || ms > shape.max) throw refuse(value, `from 1 to ${shape.max} ms`, path);
  return ms;
}

function checkList(value: unknown, shape: ListShape, path: TomlPath): unknown[] {
  if (!Array.isArray(value)) throw refuse(value, "a list", path);
  if (value.length > shape.maxItems) {
    throw fault(path, `has ${value.length} entries, and at most ${shape.maxItems} are allowed`);
  }
  return value.map((item, index) => checkValue(item, shape.of, [...path, index]));
}

function checkMap(value: unknown, shape: MapShape, path: TomlPath): Map<string, string> {
  const entries = Object.entries(checkIsTable(value, path));
  if (entries.length > shape.maxItems) {
    throw fault(path, `has ${entries.length} entries, and at most ${shape.maxItems} are allowed`);
  }
  return new Map(
    entries.map(([key, item]) => {
      checkKey(key, shape.key, path);
      return [key, checkString(item, shape.of, [...path, key])];
    }),
  );
}

function checkKey(key: string, shape: StringShape, path: TomlPath): void {
  if (key.length > shape.maxLength || !(shape.pattern?.test(key) ?? true)) {
    const wanted = `${shape.wanted}, at most ${shape.maxLength} characters long`;
    throw new ManifestFault(
      "manifest/value",
      `key ${show(key)} is not ${wanted}`,
      [...path, key],
      "key",
    );
  }
}

function checkTable(
  value: unknown,
  shape: TableShape,
  path: TomlPath,
  known: readonly string[],
): Record<string, unknown> {
  const table = checkIsTable(value, path);
  const names = Object.keys(shape.fields);
  for (const key of Object.keys(table)) {
    if (!Object.hasOwn(shape.fields, key) && !known.includes(key)) {
      throw refuseKey(key, [...known, ...names], path);
    }
  }
  const checked: Record<string, unknown> = {};
  for (const name of names) {
    const field = shape.fields[name]!;
    if (Object.hasOwn(table, name)) checked[name] = checkValue(table[name], field, [...path, name]);
    else if (field.required) throw fault(path, `lacks the key '${name}'`);
    else checked[name] = "fallback" in field ? field.fallback : undefined;
  }
  return checked;
}

function checkVariant(
  value: unknown,
  shape: VariantShape,
  path: TomlPath,
): Record<string, unknown> {
  const table = checkIsTable(value, path);
  const kinds = Object.keys(shape.kinds);
  const wanted = kinds.map((kind) => `"${kind}"`).join(", ");
  if (!Object.hasOwn(table, "kind")) throw fault(path, `lacks the key 'kind' (one of ${wanted})`);
  const kind = table["kind"];
  if (typeof kind !== "string" || !Object.hasOwn(shape.kinds, kind)) {
    const at = [...path, "kind"];
    const reserved = shape.reserved ?? {};
    if (typeof kind === "string" && Object.hasOwn(reserved, kind)) {
      throw new ManifestFault("manifest/value", `kind "${kind}" ${reserved[kind]}`, at);
    }
    const near = typeof kind === "string" ? suggestNearest(kind, kinds) : null;
    throw refuse(kind, `one of ${wanted}`, at, near);
  }
  return { kind, ...checkTable(table, shape.kinds[kind]!, path, ["kind"]) };
}

function checkIsTable(value: unknown, path: TomlPath): Record<string, unknown> {
  const isTable =
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Date);
  if (!isTable) throw refuse(value, "a table", path);
  return value as Record<string, unknown>;
}

export function refuseKey(key: string, known: readonly string[], path: TomlPath): ManifestFault {
  const where = path.length === 0 ? "" : ` in '${formatPath(path)}'`;
  const near = suggestNearest(key, known);
  const hint = near === null ? `known keys: ${known.join(", ")}` : `did you mean '${near}'?`;
  return new ManifestFault(
    "manifest/unknown-key",
    `unknown key ${show(key)}${where}; ${hint}`,
    [...path, key],
    "key",
  );
}

function refuse(
  value: unknown,
  wanted: string,
  path: TomlPath,
  near: string | null = null,
): ManifestFault {
  const hint = near === null ? "" : `; did you mean "${near}"?`;
  return fault(path, `is ${describe(value)}, and ${wanted} is wanted${hint}`);
}

function fault(path: TomlPath, message: string): ManifestFault {
  return new ManifestFault("manifest/value", `'${formatPath(path)}' ${message}`, path);
}

function describe(value: unknown): string {
  if (typeof value === "string") return `the text ${show(value)}`;
  if (Array.isArray(value)) return "a list";
  if (value instanceof Date) return "a date";
  if (typeof value === "object") return "a table";
  return `${value}`;
}

function show(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
}
