/** JSON Schemas of what the agent takes and answers; `@donjon/protocol/agent/keep-record` reads the same. */
import { ERROR_CODES } from "@donjon/core/errors";
import {
  AGENT_KEEP_STATES,
  BACKEND_NAMES,
  END_REASONS,
  KEEP_ID,
  KEEP_NAME,
} from "@donjon/protocol/agent/keep-record";
import {
  MAX_CONNECTIONS,
  MAX_LABEL_VALUE,
  MAX_LABELS,
  MAX_LISTED_KEEPS,
  MAX_LISTENERS,
  MAX_NETWORK_RULE,
  MAX_NETWORK_RULES,
  MIN_MEMORY_BYTES,
} from "@donjon/protocol/agent/limits";
import { KEEP_STATES } from "@donjon/protocol/gate/gate";
import { MAX_CONSOLE_LINE, MAX_CONSOLE_LINES, MAX_LISTENER_NAME } from "@donjon/protocol/limits";

type Json = { readonly [key: string]: unknown };

const MAX_LIFETIME_MS = 10 * 365 * 86_400_000;
const MAX_BYTES = Number.MAX_SAFE_INTEGER;

const name: Json = { type: "string", pattern: KEEP_NAME.source };
const backend: Json = { enum: BACKEND_NAMES };
const time: Json = {
  type: "integer",
  minimum: 0,
  description: "Milliseconds since 1970, by the host's clock.",
};
const labels: Json = {
  type: "object",
  maxProperties: MAX_LABELS,
  propertyNames: { pattern: "^[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,126}[A-Za-z0-9])?$" },
  additionalProperties: { type: "string", maxLength: MAX_LABEL_VALUE },
};
const listeners: Json = {
  type: "array",
  maxItems: MAX_LISTENERS,
  items: closed({
    name: { type: "string", minLength: 1, maxLength: MAX_LISTENER_NAME },
    address: { type: "string", pattern: "^[0-9A-Za-z.:%-]{1,64}$" },
    port: { type: "integer", minimum: 0, maximum: 65535, description: "0: any free port." },
  }),
};
const connections: Json = {
  type: "array",
  maxItems: MAX_CONNECTIONS,
  items: { type: "string", minLength: 1, maxLength: 320, description: "host:port or [IPv6]:port" },
};

const limit = (minimum: number, maximum: number): Json => ({
  type: ["integer", "null"],
  minimum,
  maximum,
});
const limits = {
  lifetimeMs: limit(1, MAX_LIFETIME_MS),
  memoryBytes: limit(MIN_MEMORY_BYTES, MAX_BYTES),
  bandwidthBytesPerS: limit(1024, MAX_BYTES),
};

const rules = (description: string): Json => ({
  type: "array",
  maxItems: MAX_NETWORK_RULES,
  items: { type: "string", minLength: 1, maxLength: MAX_NETWORK_RULE },
  description,
});

/** An object with these fields and no others, all of them required but those named. */
function closed(fields: Readonly<Record<string, Json>>, optional: readonly string[] = []): Json {
  const required = Object.keys(fields).filter((field) => !optional.includes(field));
  return {
    type: "object",
    properties: fields,
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
  };
}

const orNull = (schema: Json): Json => ({ anyOf: [schema, { type: "null" }] });

const request = {
  backend: orNull(backend),
  name: orNull(name),
  labels,
  listeners,
  connections,
  limits: closed(limits, Object.keys(limits)),
};

const keep = closed({
  id: { type: "string", pattern: KEEP_ID.source },
  name,
  owner: { type: "string" },
  backend,
  protects: { type: "boolean", description: "Whether hardware protects it, as the host says." },
  state: { enum: AGENT_KEEP_STATES },
  createdAt: time,
  labels,
  listeners,
  connections,
  network: orNull(
    closed({
      connect: rules("HOST:PORTS that it may connect to; the rules of its owner when it was made."),
      listen: rules("ADDRESS:PORTS that it may listen on."),
    }),
  ),
  limits: closed(limits),
  health: orNull({ enum: KEEP_STATES }),
  sandbox: { type: "string" },
  image: { type: "string" },
  end: orNull(closed({ reason: { enum: END_REASONS }, detail: { type: "string" }, at: time })),
});

export const schemas = {
  KeepRequest: closed(request, Object.keys(request)),
  Keep: keep,
  KeepList: closed({
    keeps: {
      type: "array",
      maxItems: MAX_LISTED_KEEPS,
      items: { $ref: "#/components/schemas/Keep" },
    },
  }),
  Console: closed({
    lines: {
      type: "array",
      maxItems: MAX_CONSOLE_LINES,
      items: { type: "string", maxLength: MAX_CONSOLE_LINE },
    },
  }),
  Platform: closed({
    backends: {
      type: "array",
      items: closed({
        name: backend,
        protects: { type: "boolean" },
        available: { type: "boolean" },
        detail: { type: "string" },
      }),
    },
  }),
  Problem: closed({
    type: { const: "about:blank" },
    title: { type: "string" },
    status: { type: "integer", minimum: 400, maximum: 599 },
    detail: { type: "string" },
    code: { enum: ERROR_CODES },
  }),
};
