/** What a TLS listener serves with: a certificate that came as a secret, or one that the Keep makes, with evidence in it. */
import { createPrivateKey, hash, X509Certificate } from "node:crypto";
import type { SecureContext } from "node:tls";
import { DonjonError } from "@donjon/core/errors";
import { encodePem } from "@donjon/core/pem-encode";
import type { ListenDescriptor } from "@donjon/protocol/manifest/manifest";
import { createTlsContext } from "../gate/tls.ts";
import { certifyKey, type KeepIdentity } from "../identity/identity.ts";

export interface ServedCertificate {
  readonly context: SecureContext;
  /** SHA-256 of its SubjectPublicKeyInfo. */
  readonly key: Uint8Array;
}

/** `names`: beside `localhost`; `cmw`: evidence for the Keep's key, `null` when there is none. */
export function makeCertificate(
  { keyPem, digest }: KeepIdentity,
  names: readonly string[],
  cmw: Uint8Array | null,
  nowMs: number,
): ServedCertificate {
  const der = certifyKey(keyPem, nowMs, { names, ...(cmw === null ? {} : { cmw }) });
  // Not by `X509Certificate`: it would find the first PEM in these octets, and evidence of Intel's holds a chain in PEM.
  const cert = encodePem("CERTIFICATE", der);
  return { context: createTlsContext({ cert, key: keyPem, ca: cert }), key: digest };
}

/** Throws `manifest/value` when the secrets are not a certificate and its key; what they hold is in no message. */
export function openCertificate(
  listener: ListenDescriptor,
  secrets: ReadonlyMap<string, Uint8Array>,
): ServedCertificate {
  const refuse = (found: string, wanted: string) =>
    new DonjonError("manifest/value", `the listener "${listener.name}": ${found}; ${wanted}`);
  // A view: what was uploaded is overwritten once the workload runs.
  const view = (name: string) => {
    const { buffer, byteOffset, length } = secrets.get(name)!;
    return Buffer.from(buffer, byteOffset, length);
  };
  const read = <T>(name: string, wanted: string, use: (bytes: Buffer) => T): T => {
    try {
      return use(view(name));
    } catch {
      throw refuse(`the secret "${name}" cannot be read as ${wanted}`, "give it in PEM");
    }
  };
  const [certificate, key] = [listener.certificate!, listener.key!];
  const leaf = read(certificate, "a certificate", (bytes) => new X509Certificate(bytes));
  const isOwn = read(key, "a private key without a password", (bytes) =>
    leaf.checkPrivateKey(createPrivateKey(bytes)),
  );
  if (!isOwn) {
    throw refuse(
      `the certificate in "${certificate}" (${leaf.subject?.replaceAll("\n", ", ")}) is for another key than the one in "${key}"`,
      "give the two that belong together, the server's own certificate first in its chain",
    );
  }
  const context = read(certificate, "a chain that OpenSSL serves with", (cert) =>
    createTlsContext({ cert, key: view(key), ca: cert }),
  );
  const spki = leaf.publicKey.export({ type: "spki", format: "der" });
  return { context, key: hash("sha256", spki, "buffer") };
}
