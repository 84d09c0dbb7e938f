/**
 * TLS inside the Keep over a stream of the gate, so that the host carries ciphertext only. TLS 1.3 and nothing older
 * (as Enarx); the engine's bundled roots; the same self-made certificate for every socket.
 */
import type { Duplex } from "node:stream";
import { connect, createSecureContext, type SecureContextOptions, TLSSocket } from "node:tls";
import { DonjonError } from "@donjon/core/errors";
import { MAX_HANDSHAKES, TLS_HANDSHAKE_MS } from "@donjon/protocol/limits";
import type { KeepIdentity } from "../identity/identity.ts";

export interface TlsSide {
  /** Calls back once the handshake is over; a failed or slow handshake ends the stream and nothing else. */
  accept(stream: Duplex, onSecure: (secured: Duplex) => void): void;
  /** Rejects with `gate/refused` when the peer does not prove to be `host`. */
  connect(stream: Duplex, host: string): Promise<Duplex>;
}

/** `ca`: roots for outgoing connections in place of the engine's own; tests only. */
export function createTlsSide(identity: KeepIdentity, ca?: string): TlsSide {
  const options: SecureContextOptions = {
    key: identity.keyPem,
    cert: identity.certificatePem,
    minVersion: "TLSv1.3",
    ...(ca === undefined ? {} : { ca }),
  };
  const secureContext = createSecureContext(options);
  let handshakes = 0;
  return {
    accept(stream, onSecure) {
      if (handshakes >= MAX_HANDSHAKES) {
        stream.destroy();
        return;
      }
      handshakes += 1;
      const socket = new TLSSocket(stream as never, { isServer: true, secureContext });
      const timer = setTimeout(() => socket.destroy(), TLS_HANDSHAKE_MS).unref();
      const settle = () => {
        clearTimeout(timer);
        handshakes -= 1;
        socket.off("close", settle);
      };
      socket.on("error", () => socket.destroy());
      socket.on("close", settle);
      socket.once("secure", () => {
        settle();
        onSecure(socket);
      });
    },
    connect: (stream, host) => connectSecured(stream, host, options),
  };
}

function connectSecured(
  stream: Duplex,
  host: string,
  options: SecureContextOptions,
): Promise<Duplex> {
  const { promise, resolve, reject } = Promise.withResolvers<Duplex>();
  const socket = connect({
    ...options,
    socket: stream,
    host,
    ...(isName(host) ? { servername: host } : {}),
  });
  const fail = (cause: unknown) => {
    clearTimeout(timer);
    socket.destroy();
    reject(
      new DonjonError(
        "gate/refused",
        `the TLS connection to "${host}" was not made: ${cause instanceof Error ? cause.message : cause}`,
        { cause },
      ),
    );
  };
  const timer = setTimeout(
    () => fail(`no handshake within ${TLS_HANDSHAKE_MS} ms`),
    TLS_HANDSHAKE_MS,
  ).unref();
  socket.on("error", fail);
  socket.on("close", () => fail("the other side closed it"));
  socket.once("secureConnect", () => {
    clearTimeout(timer);
    resolve(socket);
  });
  return promise;
}

/** RFC 6066, section 3: an address is no server name. */
function isName(host: string): boolean {
  return !/^[0-9.]+$/.test(host) && !host.includes(":");
}
