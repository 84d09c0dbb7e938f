/**
 * What a TLS service shows of itself (docs/formats/binding.md): evidence in its certificate, or at its well-known
 * address for a certificate that somebody else signed. Who signed the certificate does not matter: evidence speaks for the
 * key of this very connection, or for nothing.
 */
import { randomBytes } from "node:crypto";
import { request } from "node:https";
import { isIP } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { encodeCmwCbor, readCmwExtension } from "@donjon/attest/envelope";
import { DonjonError } from "@donjon/core/errors";
import { encodeHex } from "@donjon/core/hex";
import { type Certificate, parseCertificate } from "@donjon/core/x509";
import { BINDING_VALUE_BYTES } from "@donjon/protocol/attestation/binding";
import { MAX_EVIDENCE_BYTES } from "@donjon/protocol/limits";

export interface ServiceEvidence {
  /** A CMW collection in CBOR. */
  readonly cmw: Uint8Array;
  /** SubjectPublicKeyInfo that the service proved to hold the key of. */
  readonly spki: Uint8Array;
  /** What was asked with; `null` for evidence in a certificate, which is as old as the certificate. */
  readonly nonce: Uint8Array | null;
}

export const WELL_KNOWN = "/.well-known/donjon/attestation";
/** RFC 9999, section 10. */
const CMW_MEDIA_TYPE = "application/cmw+cbor";
const TIMEOUT_MS = 15_000;
const NO_HANDSHAKE = `no TLS handshake in ${TIMEOUT_MS / 1000} s; does it speak TLS?`;

/**
 * Evidence in the certificate, else from the well-known address.
 *
 * @param fresh ask the well-known address, with a nonce, in any case
 * @throws DonjonError `session/closed` when the service does not answer, `evidence/malformed`
 */
export async function readServiceEvidence(url: URL, fresh: boolean): Promise<ServiceEvidence> {
  if (fresh) return askWellKnown(url, true);
  const certificate = await readPeerCertificate(url);
  const cmw = readCmwExtension(certificate);
  if (cmw === undefined) return askWellKnown(url, false);
  return { cmw: encodeCmwCbor(cmw), spki: certificate.publicKey.encoding, nonce: null };
}

/** Nobody vouches for the chain, and nobody has to; a Keep speaks TLS 1.3 and nothing older. */
function tlsOptions(url: URL) {
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  return {
    host,
    port: Number(url.port || 443),
    rejectUnauthorized: false,
    minVersion: "TLSv1.3" as const,
    ...(isIP(host) === 0 ? { servername: host } : {}),
  };
}

function readPeerCertificate(url: URL): Promise<Certificate> {
  const { promise, resolve, reject } = Promise.withResolvers<Certificate>();
  const socket = connect({ ...tlsOptions(url), ALPNProtocols: ["http/1.1"] });
  const fail = (cause: unknown) => reject(unreachable(url, cause));
  const timer = setTimeout(() => fail(NO_HANDSHAKE), TIMEOUT_MS);
  socket.on("error", fail);
  socket.on("close", () => fail("it closed the connection"));
  socket.once("secureConnect", () => {
    try {
      resolve(peerCertificate(socket));
    } catch (error) {
      reject(error);
    }
  });
  return promise.finally(() => {
    clearTimeout(timer);
    socket.destroy();
  });
}

function peerCertificate(socket: TLSSocket): Certificate {
  const { raw } = socket.getPeerX509Certificate() ?? {};
  if (raw !== undefined) return parseCertificate(new Uint8Array(raw));
  throw new DonjonError("evidence/malformed", "the service showed no certificate; wanted one");
}

/** The key is that of the connection on which the answer came. */
function askWellKnown(url: URL, fresh: boolean): Promise<ServiceEvidence> {
  const nonce = new Uint8Array(randomBytes(BINDING_VALUE_BYTES));
  const { promise, resolve, reject } = Promise.withResolvers<ServiceEvidence>();
  const asked = request({
    ...tlsOptions(url),
    path: `${WELL_KNOWN}?nonce=${encodeHex(nonce)}`,
    headers: { host: url.host, accept: CMW_MEDIA_TYPE },
    agent: false,
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  asked.on("error", (cause) => reject(unreachable(url, cause)));
  asked.on("response", async (response) => {
    try {
      const type = response.headers["content-type"]?.split(";", 1)[0];
      if (response.statusCode !== 200 || type !== CMW_MEDIA_TYPE) {
        throw noEvidence(
          url,
          fresh,
          `status ${response.statusCode} and ${type ?? "no content type"}`,
        );
      }
      const { spki } = { spki: peerCertificate(response.socket as TLSSocket).publicKey.encoding };
      resolve({ cmw: await readBody(url, fresh, response), spki, nonce });
    } catch (error) {
      reject(error instanceof DonjonError ? error : unreachable(url, error));
    } finally {
      response.destroy();
    }
  });
  asked.end();
  return promise;
}

async function readBody(
  url: URL,
  fresh: boolean,
  response: AsyncIterable<Uint8Array>,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response) {
    size += chunk.length;
    if (size > MAX_EVIDENCE_BYTES)
      throw noEvidence(url, fresh, `more than ${MAX_EVIDENCE_BYTES} octets`);
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

function noEvidence(url: URL, fresh: boolean, found: string): DonjonError {
  const certificate = fresh ? "" : "its certificate has no id-pe-cmw extension, and ";
  return new DonjonError(
    "evidence/malformed",
    `${url.host} shows no evidence: ${certificate}${WELL_KNOWN} answered with ${found}, wanted ${CMW_MEDIA_TYPE}; is this a service that runs in a Keep?`,
  );
}

/** What the errors of a connection mean here. */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there",
  ECONNRESET: "it closed the connection",
  ENOTFOUND: "no host has this name",
  ABORT_ERR: `no answer in ${TIMEOUT_MS / 1000} s`,
  EPROTO: "it does not speak TLS",
  ERR_SSL_WRONG_VERSION_NUMBER: "it does not speak TLS",
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: "it does not speak TLS 1.3, and a Keep does",
};

function unreachable(url: URL, cause: unknown): DonjonError {
  const code = (cause as { code?: string } | null)?.code ?? "";
  const why = REASONS[code] ?? (cause instanceof Error ? cause.message : String(cause));
  return new DonjonError("session/closed", `${url.host} cannot be asked: ${why}`, { cause });
}
