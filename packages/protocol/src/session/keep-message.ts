/** Messages of a Keep. */
import { DonjonError, ERROR_CODES, type ErrorCode } from "@donjon/core/errors";
import { MAX_EVIDENCE_BYTES } from "../limits.ts";
import { MAX_NAME, MAX_SENTENCE, nonceHex, parseMessage, treeList, u32 } from "./message.ts";
import { outcomeShape, usageShape } from "./outcome-shape.ts";
import {
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

const MAX_PHASES = 64;
const MAX_DETAILS = 32;
const sha256Hex = matching(/^[0-9a-f]{64}$/, "a SHA-256 in lower-case hex");

const detail: Shape<string | number | boolean | null> = (value, path) =>
  value === null || typeof value === "boolean"
    ? value
    : typeof value === "number"
      ? finite(Number.MAX_VALUE)(Math.abs(value), path) && value
      : text(0, MAX_SENTENCE)(value, path);

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
const changedTrees = record({ type: literal("trees"), trees: treeList });
const exit = record({ type: literal("exit"), outcome: outcomeShape, usage: usageShape });
const failure = record({
  type: literal("failure"),
  code: oneOf<ErrorCode>(...ERROR_CODES),
  message: text(0, MAX_SENTENCE),
  details: mapOf(detail, MAX_DETAILS),
});

export type FailureMessage = Shaped<typeof failure>;
export type KeepMessage =
  | Shaped<typeof keepHello>
  | Shaped<typeof evidence>
  | Shaped<typeof provisioned>
  | Shaped<typeof attached>
  | Shaped<typeof started>
  | Shaped<typeof changedTrees>
  | Shaped<typeof exit>
  | FailureMessage;

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

/** Throws `session/protocol` for anything but one well-formed message of a Keep. */
export function parseKeepMessage(bytes: Uint8Array): KeepMessage {
  return parseMessage(bytes, keepMessage);
}

/** The error that a `failure` message tells. */
export function failureError(message: FailureMessage): DonjonError {
  return new DonjonError(message.code, message.message, {
    details: Object.fromEntries(message.details),
  });
}
