/** Somebody who ends the client's TLS with a key of his own, speaks the session's protocol, and reads all that comes. */
import assert from "node:assert/strict";
import { type Duplex, duplexPair } from "node:stream";
import { createSecureContext, type SecureContextOptions, TLSSocket } from "node:tls";
import type { Verifier } from "@donjon/client/attested/open";
import { createIdentity } from "@donjon/keep/identity/identity";
import { SESSION_ALPN } from "@donjon/protocol/session/carrier";
import { parseClientMessage } from "@donjon/protocol/session/client-message";
import { CHANNEL, encodeFrameHeader, FRAME_KIND } from "@donjon/protocol/session/frame";
import { SESSION_PROTOCOL } from "@donjon/protocol/session/message";
import { findPiece } from "./planted.ts";
import { assertRefuses, type Refusal, type Setting } from "./setting.ts";

export interface Impostor {
  /** The client's end. */
  readonly stream: Duplex;
  /** What the client wrote inside TLS. */
  readonly plaintext: readonly Buffer[];
  /** Kinds of the messages in it. */
  readonly messages: readonly string[];
}

export interface ImpostorOptions
  extends Pick<SecureContextOptions, "cert" | "key" | "maxVersion" | "minVersion"> {
  readonly alpn?: readonly string[];
  /** The handshake is over. */
  onSecure?(say: Say, socket: TLSSocket): void;
  /** The client asks for evidence. */
  onAttest?(nonce: string, say: Say, socket: TLSSocket): void;
}

/** Sends a message of a Keep, well formed or not. */
export type Say = (message: unknown) => void;

export const HELLO = { type: "hello", protocol: SESSION_PROTOCOL, engine: "node" };

export function createImpostor(options: ImpostorOptions): Impostor {
  const { alpn = [SESSION_ALPN], onSecure, onAttest, ...secured } = options;
  const [stream, inner] = duplexPair();
  const own = secured.cert === undefined ? createIdentity(Date.now()) : null;
  const socket = new TLSSocket(inner as never, {
    isServer: true,
    requestCert: true,
    rejectUnauthorized: false,
    ALPNProtocols: [...alpn],
    secureContext: createSecureContext({
      ...secured,
      ...(own === null ? {} : { cert: own.certificatePem, key: own.keyPem }),
    }),
  });
  const plaintext: Buffer[] = [];
  const messages: string[] = [];
  const say: Say = (message) => socket.write(encodeMessage(message));
  socket.on("error", () => inner.destroy());
  socket.once("secure", () => onSecure?.(say, socket));
  socket.on("data", (piece: Buffer) => {
    plaintext.push(piece);
    for (const payload of takeMessages(plaintext, messages.length)) {
      const message = parseClientMessage(payload);
      messages.push(message.type);
      if (message.type === "attest") onAttest?.(message.nonce, say, socket);
    }
  });
  return { stream, plaintext, messages };
}

export function encodeMessage(message: unknown): Buffer {
  const json = Buffer.from(JSON.stringify(message));
  const header = encodeFrameHeader(FRAME_KIND.message, CHANNEL.control, json.length);
  return Buffer.concat([header, json]);
}

const HEADER_BYTES = 8;

/** Whole messages from the `skip`th on; other frames end the reading. */
function* takeMessages(pieces: readonly Buffer[], skip: number): Generator<Buffer> {
  const all = Buffer.concat(pieces);
  for (let at = 0, index = 0; at + HEADER_BYTES <= all.length; index++) {
    const end = at + HEADER_BYTES + all.readUInt32BE(at + 4);
    if (all[at] !== FRAME_KIND.message || end > all.length) return;
    if (index >= skip) yield all.subarray(at + HEADER_BYTES, end);
    at = end;
  }
}

/** The client refuses, and inside TLS there was a greeting and a nonce, and not an octet more. */
export async function assertImpostorGetsNothing(
  setting: Setting,
  verify: Verifier,
  { timeoutMs, ...options }: ImpostorOptions & { readonly timeoutMs?: number | undefined },
  wanted: Refusal | readonly Refusal[],
): Promise<void> {
  const impostor = createImpostor(options);
  const visit = { stream: impostor.stream, verify, ...(timeoutMs && { timeoutMs }) };
  await assertRefuses(setting, visit, wanted);
  const bytes = Buffer.concat(impostor.plaintext);
  assert.equal(findPiece(bytes, setting.planted), undefined);
  const allowed = impostor.messages.filter((type) => type === "hello" || type === "attest");
  assert.deepEqual(impostor.messages, allowed);
  assert.ok(bytes.length < 1024, `${bytes.length} octets inside TLS`);
}
