/** The TLS listeners of one workload: their certificates, and who answers first on their connections. */
import type { Duplex } from "node:stream";
import { CERTIFICATE_EVIDENCE_MS } from "@donjon/protocol/limits";
import type { ListenDescriptor, ManifestDescriptor } from "@donjon/protocol/manifest/manifest";
import { createTlsAcceptor } from "../gate/tls.ts";
import type { KeepIdentity } from "../identity/identity.ts";
import { type AttestKey, createAnswerer } from "./answer.ts";
import { makeCertificate, openCertificate, type ServedCertificate } from "./certificate.ts";
import { awaitRequest } from "./request.ts";

export interface TlsListeners {
  /** Calls back with each connection that is the workload's, once its handshake is over. */
  accept(listener: ListenDescriptor, stream: Duplex, onSecure: (secured: Duplex) => void): void;
}

export interface TlsListenersOptions {
  readonly descriptors: readonly ManifestDescriptor[];
  readonly secrets: ReadonlyMap<string, Uint8Array>;
  readonly identity: KeepIdentity;
  readonly attest: AttestKey;
  /** A line on the host's console. */
  readonly log: (line: string) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Throws `manifest/value` when a certificate that came as a secret cannot be served with. */
export function createTlsListeners(options: TlsListenersOptions): TlsListeners {
  const listeners = options.descriptors.filter(
    (each) => each.kind === "listen" && each.protocol === "tls",
  ) as ListenDescriptor[];
  const isMade = ({ certificate }: ListenDescriptor) => certificate === undefined;
  const given = new Map(
    listeners
      .filter((each) => !isMade(each))
      .map((each) => [each.name, openCertificate(each, options.secrets)]),
  );
  const made = listeners.some(isMade)
    ? keepCertificate(
        options,
        listeners.flatMap(({ names = [] }) => names),
      )
    : null;
  const acceptTls = createTlsAcceptor();
  const answer = createAnswerer(options.attest, () => performance.now());
  return {
    async accept(listener, stream, onSecure) {
      const { context, key } = given.get(listener.name) ?? (await made!());
      acceptTls(stream, context, (secured) => {
        const pass = () => onSecure(secured);
        if (listener.attestation !== true) pass();
        else awaitRequest(secured, (query) => answer(secured, query, key), pass);
      });
    },
  };
}

/** The newest certificate that the Keep made. Open connections keep theirs; evidence that was lost is not missed. */
function keepCertificate(
  { identity, attest, log, now }: TlsListenersOptions,
  names: readonly string[],
): () => Promise<ServedCertificate> {
  const make = (fallback: () => ServedCertificate) =>
    attest(null, identity.digest)
      .then((cmw) => makeCertificate(identity, names, cmw, now()))
      .catch((error: Error) => {
        log(`no new evidence for the certificate of the TLS listeners: ${error.message}`);
        return fallback();
      });
  let newest = make(() => makeCertificate(identity, names, null, now()));
  setInterval(async () => {
    const last = await newest;
    newest = Promise.resolve(await make(() => last));
  }, CERTIFICATE_EVIDENCE_MS).unref();
  return () => newest;
}
