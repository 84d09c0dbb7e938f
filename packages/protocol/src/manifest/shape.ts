/**
 * Shapes: what a TOML value may be, as data. The one table in `table.ts` is made of them; the checker
 * (`check.ts`) and the published JSON Schema (`json-schema.ts`) both read that table, so they cannot
 * differ.
 */

interface Field {
  /** One sentence for the JSON Schema. */
  readonly doc?: string;
  readonly required?: true;
}

export interface StringShape extends Field {
  readonly type: "string";
  /** The whole string has to match; `wanted` says the same in words. */
  readonly pattern?: RegExp;
  readonly wanted?: string;
  readonly choices?: readonly string[];
  /** Length in UTF-16 code units. */
  readonly maxLength: number;
  readonly fallback?: string;
}

export interface IntegerShape extends Field {
  readonly type: "integer";
  readonly min: number;
  readonly max: number;
  readonly fallback?: number;
}

export interface BooleanShape extends Field {
  readonly type: "boolean";
  readonly fallback?: boolean;
}

/** Bytes: an integer, or a text such as `"512 MiB"`. */
export interface SizeShape extends Field {
  readonly type: "size";
  readonly min: number;
  readonly max: number;
  readonly fallback?: number;
}

/** Milliseconds, written as a text such as `"30 s"`. */
export interface DurationShape extends Field {
  readonly type: "duration";
  readonly max: number;
}

export interface ListShape extends Field {
  readonly type: "list";
  readonly of: Shape;
  readonly maxItems: number;
}

/** Keys chosen by the author, for example names of environment variables. */
export interface MapShape extends Field {
  readonly type: "map";
  readonly key: StringShape;
  readonly of: StringShape;
  readonly maxItems: number;
}

export interface TableShape extends Field {
  readonly type: "table";
  readonly fields: Readonly<Record<string, Shape>>;
}

/** A table whose key `kind` says which fields it has. */
export interface VariantShape extends Field {
  readonly type: "variant";
  readonly kinds: Readonly<Record<string, TableShape>>;
  /** Kinds that have a meaning later, with the sentence that says so. */
  readonly reserved?: Readonly<Record<string, string>>;
}

export type Shape =
  | StringShape
  | IntegerShape
  | BooleanShape
  | SizeShape
  | DurationShape
  | ListShape
  | MapShape
  | TableShape
  | VariantShape;

type Choice<S> = S extends { readonly choices: readonly (infer C)[] } ? C : string;
type Always<S> = S extends { readonly required: true } | { readonly fallback: unknown }
  ? true
  : false;
type TableOf<F> = {
  readonly [K in keyof F]: Always<F[K]> extends true ? Checked<F[K]> : Checked<F[K]> | undefined;
};

/** The type of a value that fits shape `S`, fallbacks filled in. */
export type Checked<S> = S extends { readonly type: "string" }
  ? Choice<S>
  : S extends { readonly type: "integer" | "size" | "duration" }
    ? number
    : S extends { readonly type: "boolean" }
      ? boolean
      : S extends { readonly type: "list"; readonly of: infer O }
        ? readonly Checked<O>[]
        : S extends { readonly type: "map" }
          ? ReadonlyMap<string, string>
          : S extends { readonly type: "table"; readonly fields: infer F }
            ? TableOf<F>
            : S extends { readonly type: "variant"; readonly kinds: infer V }
              ? { [K in keyof V]: { readonly kind: K } & Checked<V[K]> }[keyof V]
              : never;
