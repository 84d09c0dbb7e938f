import type { Shape, TableShape } from "./shape.ts";
import { MANIFEST_TABLE } from "./table.ts";
import { DURATION_PATTERN, SIZE_PATTERN } from "./units.ts";

type Json = { readonly [key: string]: unknown };

/** The JSON Schema of `donjon.toml` (draft 2020-12), made from the table that the parser checks with. */
export function createManifestSchema(): Json {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "donjon.toml",
    ...describeShape(MANIFEST_TABLE),
  };
}

function describeShape(shape: Shape): Json {
  return { ...(shape.doc === undefined ? {} : { description: shape.doc }), ...describeType(shape) };
}

function describeType(shape: Shape): Json {
  const fallback =
    "fallback" in shape && shape.fallback !== undefined ? { default: shape.fallback } : {};
  switch (shape.type) {
    case "string":
      if (shape.choices) return { enum: shape.choices, ...fallback };
      return {
        type: "string",
        maxLength: shape.maxLength,
        ...(shape.pattern ? { pattern: shape.pattern.source } : {}),
        ...fallback,
      };
    case "integer":
      return { type: "integer", minimum: shape.min, maximum: shape.max, ...fallback };
    case "boolean":
      return { type: "boolean", ...fallback };
    case "size":
      return {
        anyOf: [
          { type: "integer", minimum: shape.min, maximum: shape.max },
          { type: "string", pattern: SIZE_PATTERN.source },
        ],
        ...fallback,
      };
    case "duration":
      return { type: "string", pattern: DURATION_PATTERN.source };
    case "list":
      return { type: "array", maxItems: shape.maxItems, items: describeShape(shape.of) };
    case "map":
      return {
        type: "object",
        maxProperties: shape.maxItems,
        propertyNames: describeShape(shape.key),
        additionalProperties: describeShape(shape.of),
      };
    case "table":
      return describeTable(shape, {});
    case "variant":
      return {
        oneOf: Object.entries(shape.kinds).map(([kind, table]) => ({
          ...(table.doc === undefined ? {} : { description: table.doc }),
          ...describeTable(table, { kind: { const: kind } }),
        })),
      };
  }
}

function describeTable(shape: TableShape, tag: Json): Json {
  const fields = Object.entries(shape.fields);
  const required = [
    ...Object.keys(tag),
    ...fields.filter(([, field]) => field.required).map(([name]) => name),
  ];
  return {
    type: "object",
    properties: {
      ...tag,
      ...Object.fromEntries(fields.map(([name, field]) => [name, describeShape(field)])),
    },
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
  };
}
