/** Messages of the control channel: one JSON object each (README, session). */
import { DonjonError, ERROR_CODES, type ErrorCode } from "@donjon/core/errors";
import {
  MAX_EVIDENCE_BYTES,
  MAX_MANIFEST_BYTES,
  MAX_MESSAGE_BYTES,
  MAX_SECRET_BYTES,
  MAX_SECRETS,
  MAX_TREE_BYTES,
  MAX_TREES,
  MAX_WORKLOAD_BYTES,
} from "../limits.ts";
import { outcomeShape, usageShape } from "./outcome.ts";
import {
  array,
  boolean,
  finite,
  integer,
  literal,
  mapOf,
  matching,
  oneOf,
  record,
  type Shape,
  type Shaped,
  taggedUnion,
  text,
} from "./shape.ts";

/** The version of the session's messages; each side refuses another. */
export const SESSION_PROTOCOL = 2;

const MAX_NAME = 4096;
const MAX_SENTENCE = 16384;
const MAX_PHASES = 64;
const MAX_DETAILS = 32;
/** The largest time that a `Date` holds. */
const MAX_TIME_MS = 8.64e15;

const u32 = integer(0, 2 ** 32 - 1);
const sha256Hex = matching(/^[0-9a-f]{64}$/, "a SHA-256 in lower-case hex");
const nonceHex = matching(/^[0-9a-f]{64}$/, "32 octets in lower-case hex");
const trees = array(
  record({ guest: text(1, MAX_NAME), size: integer(0, MAX_TREE_BYTES) }),
  MAX_TREES,
);

const detail: Shape<string | number | boolean | null> = (value, path) =>
  value === null || typeof value === "boolean"
    ? value
    : typeof value === "number"
      ? finite(Number.MAX_VALUE)(Math.abs(value), path) && value
      : text(0, MAX_SENTENCE)(value, path);

const hello = record({ type: literal("hello"), protocol: u32 });
const attest = record({ type: literal("attest"), nonce: nonceHex });
const provision = record({
  type: literal("provision"),
  manifest: integer(0, MAX_MANIFEST_BYTES),
  workload: integer(0, MAX_WORKLOAD_BYTES),
  secrets: array(
    record({ name: text(1, MAX_NAME), size: integer(0, MAX_SECRET_BYTES) }),
    MAX_SECRETS,
  ),
  trees,
  terminals: array(oneOf("stdin", "stdout", "stderr"), 3),
  detached: boolean,
  time: integer(0, MAX_TIME_MS),
});
const attach = record({ type: literal("attach"), input: boolean });
const stop = record({ type: literal("stop"), how: oneOf("interrupt", "kill") });

const keepHello = record({ type: literal("hello"), protocol: u32, engine: text(0, MAX_NAME) });
const evidence = record({
  type: literal("evidence"),
  nonce: nonceHex,
  cmw: text(1, Math.ceil((MAX_EVIDENCE_BYTES * 4) / 3)),
});
const provisioned = record({
  type: literal("provisioned"),
  manifest: sha256Hex,
  workload: sha256Hex,
});
const started = record({
  type: literal("started"),
  phases: mapOf(finite(Number.MAX_SAFE_INTEGER), MAX_PHASES),
});
const attached = record({
  type: literal("attached"),
  state: oneOf("running", "exited"),
  lost: integer(0, Number.MAX_SAFE_INTEGER),
});
const changedTrees = record({ type: literal("trees"), trees });
const exit = record({ type: literal("exit"), outcome: outcomeShape, usage: usageShape });
const failure = record({
  type: literal("failure"),
  code: oneOf<ErrorCode>(...ERROR_CODES),
  message: text(0, MAX_SENTENCE),
  details: mapOf(detail, MAX_DETAILS),
});

export type ProvisionMessage = Shaped<typeof provision>;
export type FailureMessage = Shaped<typeof failure>;
export type ClientMessage =
  | Shaped<typeof hello>
  | Shaped<typeof attest>
  | ProvisionMessage
  | Shaped<typeof attach>
  | Shaped<typeof stop>;
export type KeepMessage =
  | Shaped<typeof keepHello>
  | Shaped<typeof evidence>
  | Shaped<typeof provisioned>
  | Shaped<typeof attached>
  | Shaped<typeof started>
  | Shaped<typeof changedTrees>
  | Shaped<typeof exit>
  | FailureMessage;

const clientMessage = taggedUnion<ClientMessage>("type", {
  hello,
  attest,
  provision,
  attach,
  stop,
});
const keepMessage = taggedUnion<KeepMessage>("type", {
  hello: keepHello,
  evidence,
  provisioned,
  attached,
  started,
  trees: changedTrees,
  exit,
  failure,
});

/** Throws `session/protocol` for anything but one well-formed message of a client. */
export function parseClientMessage(bytes: Uint8Array): ClientMessage {
  return clientMessage(parseJson(bytes), "message");
}

/** Throws `session/protocol` for anything but one well-formed message of a Keep. */
export function parseKeepMessage(bytes: Uint8Array): KeepMessage {
  return keepMessage(parseJson(bytes), "message");
}

/** UTF-8 of the message; throws `session/limit` when it would be too long to send. */
export function encodeMessage(message: ClientMessage | KeepMessage): Uint8Array {
  const json = JSON.stringify(message, (_, value) =>
    value instanceof Map ? Object.fromEntries(value) : value,
  );
  const bytes = new TextEncoder().encode(json);
  if (bytes.length <= MAX_MESSAGE_BYTES) return bytes;
  throw new DonjonError(
    "session/limit",
    `a ${message.type} message of ${bytes.length} octets was to be sent; at most ${MAX_MESSAGE_BYTES} are allowed`,
  );
}

/** The `failure` that tells the other side about an error; what is not a `DonjonError` is `internal`. */
export function failureMessage(error: unknown): FailureMessage {
  const known = error instanceof DonjonError ? error : null;
  const sentence = error instanceof Error ? error.message : String(error);
  return {
    type: "failure",
    code: known?.code ?? "internal",
    message: sentence.toWellFormed().slice(0, MAX_SENTENCE).toWellFormed(),
    details: new Map(Object.entries(known?.details ?? {})),
  };
}

/** The error that a `failure` message tells. */
export function failureError(message: FailureMessage): DonjonError {
  return new DonjonError(message.code, message.message, {
    details: Object.fromEntries(message.details),
  });
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new DonjonError(
      "session/protocol",
      `a message of ${bytes.length} octets is not JSON in UTF-8; the other side is broken`,
      { cause },
    );
  }
}
