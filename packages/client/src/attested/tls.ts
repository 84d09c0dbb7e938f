/** TLS 1.3 below an attested session. The only file of the client that knows what carries it. */
import { createHash } from "node:crypto";
import type { Duplex } from "node:stream";
import { connect, createSecureContext, type SecureContext } from "node:tls";
import { DonjonError } from "@donjon/core/errors";
import { BINDING_VALUE_BYTES, EXPORTER_LABEL } from "@donjon/protocol/attestation/binding";
import { carryTls } from "@donjon/protocol/gate/duplex";
import { SESSION_ALPN, SESSION_CIPHERS } from "@donjon/protocol/session/carrier";
import type { ClientIdentity } from "./identity.ts";

/** A channel to whoever holds `key`; who that is, evidence must tell. */
export interface SecuredChannel {
  readonly stream: Duplex;
  /** The value that only the two ends of this very channel know (RFC 8446, section 7.5). */
  readonly exporter: Uint8Array;
  /** SHA-256 of the SubjectPublicKeyInfo of the other end's key. */
  readonly key: Uint8Array;
}

const contexts = new WeakMap<ClientIdentity, SecureContext>();

/** What TLS needs of an identity. Made once, because that takes as long as the rest of a handshake. */
function openContext(identity: ClientIdentity): SecureContext {
  const known = contexts.get(identity);
  if (known !== undefined) return known;
  const context = createSecureContext({
    key: identity.keyPem,
    cert: identity.certificatePem,
    minVersion: "TLSv1.3",
    ciphers: SESSION_CIPHERS,
    // Without it the engine would read all of its root certificates, for nothing.
    ca: identity.certificatePem,
  });
  contexts.set(identity, context);
  return context;
}

/** Rejects with `session/closed`, or with what the gate said when it refused the stream. */
export function secureStream(stream: Duplex, identity: ClientIdentity): Promise<SecuredChannel> {
  const { promise, resolve, reject } = Promise.withResolvers<SecuredChannel>();
  carryTls(stream);
  const socket = connect({
    socket: stream,
    secureContext: openContext(identity),
    ALPNProtocols: [SESSION_ALPN],
    // No authority vouches for a Keep's key: its evidence does, which is appraised before anything is sent.
    rejectUnauthorized: false,
  });
  const fail = (cause: unknown) => {
    socket.destroy();
    reject(handshakeError(cause));
  };
  stream.on("error", fail);
  socket.on("error", fail);
  socket.on("close", () => {
    stream.destroy();
    fail("it was closed");
  });
  socket.once("secureConnect", () => {
    const certificate = socket.getPeerX509Certificate();
    if (socket.alpnProtocol !== SESSION_ALPN || certificate === undefined) {
      fail(`the other side does not speak ${SESSION_ALPN}`);
      return;
    }
    const spki = certificate.publicKey.export({ type: "spki", format: "der" });
    resolve({
      stream: socket,
      exporter: socket.exportKeyingMaterial(BINDING_VALUE_BYTES, EXPORTER_LABEL, Buffer.alloc(0)),
      key: createHash("sha256").update(spki).digest(),
    });
  });
  return promise;
}

function handshakeError(cause: unknown): DonjonError {
  if (cause instanceof DonjonError && cause.code !== "gate/closed") return cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new DonjonError(
    "session/closed",
    `the Keep could not be reached over TLS: ${why}; the Keep or the host between has stopped, or is of another version`,
    { cause },
  );
}
