/** Messages of a client. */
import {
  MAX_MANIFEST_BYTES,
  MAX_SECRET_BYTES,
  MAX_SECRETS,
  MAX_WORKLOAD_BYTES,
} from "../limits.ts";
import { MAX_NAME, nonceHex, parseMessage, treeList, u32 } from "./message.ts";
import {
  array,
  boolean,
  integer,
  literal,
  oneOf,
  record,
  type Shaped,
  taggedUnion,
  text,
} from "./shape.ts";

/** The largest time that a `Date` holds. */
const MAX_TIME_MS = 8.64e15;

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
  trees: treeList,
  terminals: array(oneOf("stdin", "stdout", "stderr"), 3),
  detached: boolean,
  time: integer(0, MAX_TIME_MS),
});
const attach = record({ type: literal("attach"), input: boolean });
const stop = record({ type: literal("stop"), how: oneOf("interrupt", "kill") });

export type ProvisionMessage = Shaped<typeof provision>;
export type ClientMessage =
  | Shaped<typeof hello>
  | Shaped<typeof attest>
  | ProvisionMessage
  | Shaped<typeof attach>
  | Shaped<typeof stop>;

const clientMessage = taggedUnion<ClientMessage>("type", {
  hello,
  attest,
  provision,
  attach,
  stop,
});

/** Throws `session/protocol` for anything but one well-formed message of a client. */
export function parseClientMessage(bytes: Uint8Array): ClientMessage {
  return parseMessage(bytes, clientMessage);
}
