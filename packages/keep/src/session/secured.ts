/** TLS of attested sessions inside the Keep: loaded with the TLS code, for the first session or when nothing else is to do. */
import { constants } from "node:crypto";
import type { Duplex } from "node:stream";
import { createSecureContext } from "node:tls";
import { SESSION_ALPN, SESSION_CIPHERS } from "@donjon/protocol/session/carrier";
import { createTlsAcceptor } from "../gate/tls.ts";
import type { KeepIdentity } from "../identity/identity.ts";
import { type Channel, openSecuredChannel } from "./channel.ts";

/** Calls back with the channel of each handshake that succeeds; others end their stream. */
export type AcceptSession = (stream: Duplex, onOpen: (channel: Channel) => void) => void;

export function createSessionAcceptor(identity: KeepIdentity): AcceptSession {
  const context = createSecureContext({
    key: identity.keyPem,
    cert: identity.certificatePem,
    minVersion: "TLSv1.3",
    ciphers: SESSION_CIPHERS,
    // Evidence speaks for one handshake, so none is resumed.
    secureOptions: constants.SSL_OP_NO_TICKET,
    // Nobody's chain is checked here; without this the engine would read all of its root certificates.
    ca: identity.certificatePem,
  });
  const accept = createTlsAcceptor();
  const options = { requestCert: true, ALPNProtocols: [SESSION_ALPN] };
  return (stream, onOpen) =>
    accept(
      stream,
      context,
      (socket) => {
        const channel = socket.isSessionReused()
          ? null
          : openSecuredChannel(socket, identity.digest);
        if (channel === null) socket.destroy();
        else onOpen(channel);
      },
      options,
    );
}
