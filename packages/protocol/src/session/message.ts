/** Messages of the control channel: one JSON object each (README, session). Reading them is each side's own. */
import { DonjonError } from "@donjon/core/errors";
import { MAX_MESSAGE_BYTES, MAX_TREE_BYTES, MAX_TREES } from "../limits.ts";
import type { ClientMessage } from "./client-message.ts";
import type { FailureMessage, KeepMessage } from "./keep-message.ts";
import { array, integer, matching, record, type Shape, text } from "./shape.ts";

/** The version of the session's messages; each side refuses another. */
export const SESSION_PROTOCOL = 3;

/** Characters of a name, and of a sentence for people. */
export const MAX_NAME = 4096;
export const MAX_SENTENCE = 16384;

export const u32 = integer(0, 2 ** 32 - 1);
export const nonceHex = matching(/^[0-9a-f]{64}$/, "32 octets in lower-case hex");
export const treeList = array(
  record({ guest: text(1, MAX_NAME), size: integer(0, MAX_TREE_BYTES) }),
  MAX_TREES,
);

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

/** Throws `session/protocol` for anything but one well-formed message of the shape. */
export function parseMessage<T>(bytes: Uint8Array, shape: Shape<T>): T {
  return shape(parseJson(bytes), "message");
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
