/**
 * TLS inside the Keep over a stream of the gate, so that the host carries ciphertext only. TLS 1.3 and nothing older
 * (as Enarx); the engine's bundled roots for connections.
 */
import type { Duplex } from "node:stream";
import {
  connect,
  createSecureContext,
  type SecureContext,
  type SecureContextOptions,
  TLSSocket,
  type TLSSocketOptions,
} from "node:tls";
import { DonjonError } from "@donjon/core/errors";
import { carryTls } from "@donjon/protocol/gate/duplex";
import { MAX_HANDSHAKES, TLS_HANDSHAKE_MS } from "@donjon/protocol/limits";
import { noteSocket } from "../node/read-pieces.ts";

/** `cert` and `key` in PEM; throws what OpenSSL says when they are no pair. */
export function createTlsContext(
  options: Pick<SecureContextOptions, "cert" | "key" | "ca">,
): SecureContext {
  return createSecureContext({ ...options, minVersion: "TLSv1.3" });
}

/** Calls back once the handshake is over; a failed or slow handshake ends the stream and nothing else. */
export type AcceptTls = (
  stream: Duplex,
  secureContext: SecureContext,
  onSecure: (secured: TLSSocket) => void,
  options?: Pick<TLSSocketOptions, "requestCert" | "ALPNProtocols">,
) => void;

/** One count of handshakes under way for all that it accepts. */
export function createTlsAcceptor(): AcceptTls {
  let handshakes = 0;
  return (stream, secureContext, onSecure, options = {}) => {
    if (handshakes >= MAX_HANDSHAKES) {
      stream.destroy();
      return;
    }
    handshakes += 1;
    carryTls(stream);
    const socket = new TLSSocket(stream as never, {
      ...options,
      isServer: true,
      // Whose a client's key is, is asked by who uses it; OpenSSL has proved that the client has it.
      rejectUnauthorized: false,
      secureContext,
    });
    noteSocket(socket);
    const timer = setTimeout(() => socket.destroy(), TLS_HANDSHAKE_MS).unref();
    const settle = () => {
      clearTimeout(timer);
      handshakes -= 1;
      socket.off("close", settle);
    };
    socket.on("error", () => socket.destroy());
    socket.on("close", settle);
    // A stream that was cut off, and has no end that TLS would see.
    stream.on("close", () => stream.readableEnded || socket.destroy());
    socket.once("secure", () => {
      settle();
      onSecure(socket);
    });
  };
}

/**
 * Rejects with `gate/refused` when the peer does not prove to be `host`.
 *
 * @param now milliseconds since 1970; may be later than the host's clock, by which OpenSSL checks
 */
export function connectTls(
  stream: Duplex,
  host: string,
  secureContext: SecureContext,
  now: () => number,
): Promise<Duplex> {
  const { promise, resolve, reject } = Promise.withResolvers<Duplex>();
  carryTls(stream);
  const socket = connect({
    secureContext,
    socket: stream,
    host,
    ...(isName(host) ? { servername: host } : {}),
  });
  noteSocket(socket);
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
    const expired = findExpired(socket, now());
    if (expired !== null) {
      fail(`its certificate is no longer valid: it ended on ${expired}`);
      return;
    }
    clearTimeout(timer);
    resolve(socket);
  });
  return promise;
}

/** Certificates of a chain that are looked at; OpenSSL has bounded it already. */
const MAX_CHAIN = 32;

/** The end of validity that has passed, of any certificate in the peer's chain. */
function findExpired(socket: TLSSocket, nowMs: number): string | null {
  let certificate = socket.getPeerX509Certificate();
  for (let depth = 0; certificate !== undefined && depth < MAX_CHAIN; depth++) {
    if (certificate.validToDate.getTime() < nowMs) return certificate.validTo;
    certificate = certificate.issuerCertificate;
  }
  return null;
}

/** RFC 6066, section 3: an address is no server name. */
function isName(host: string): boolean {
  return !/^[0-9.]+$/.test(host) && !host.includes(":");
}
