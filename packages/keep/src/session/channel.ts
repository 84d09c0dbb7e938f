/**
 * What carries a session inside the Keep. This file is the only one that knows whether the stream is bare
 * or TLS: everything above sees a `Channel`.
 */
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { BINDING_VALUE_BYTES, EXPORTER_LABEL } from "@donjon/protocol/attestation/binding";
import { SESSION_ALPN } from "@donjon/protocol/session/carrier";

export interface Channel {
  /** The bytes of the session, after whatever protects them; to be read with `readPieces`. */
  readonly stream: Duplex;
  /** What evidence names of this very channel (docs/formats/binding.md); `null`: the host reads and changes all that passes. */
  readonly secured: { readonly exporter: Uint8Array; readonly key: Uint8Array } | null;
  /** SHA-256 of the SubjectPublicKeyInfo of the client's key; `null` when it has shown none. */
  readonly client: Uint8Array | null;
}

/** The bare stream: no evidence, no secrecy. */
export function openBareChannel(stream: Duplex): Channel {
  return { stream, secured: null, client: null };
}

/**
 * The channel of a finished handshake; `null` when the client speaks another protocol. The client's certificate is
 * vouched for by nobody: only its key counts, which the handshake has proved.
 *
 * @param key SHA-256 of the SubjectPublicKeyInfo of the Keep's own key
 */
export function openSecuredChannel(socket: TLSSocket, key: Uint8Array): Channel | null {
  if (socket.alpnProtocol !== SESSION_ALPN) return null;
  const { hash } = process.getBuiltinModule("node:crypto");
  const spki = socket.getPeerX509Certificate()?.publicKey.export({ type: "spki", format: "der" });
  const exporter = socket.exportKeyingMaterial(
    BINDING_VALUE_BYTES,
    EXPORTER_LABEL,
    Buffer.alloc(0),
  );
  const client = spki === undefined ? null : hash("sha256", spki, "buffer");
  return { stream: socket, secured: { exporter, key }, client };
}
