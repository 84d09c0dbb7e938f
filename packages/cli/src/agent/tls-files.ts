/** The files of `donjon agent --tls-cert`, `--tls-key` and `--client-ca`. */
import { statSync } from "node:fs";
import { DonjonError } from "@donjon/core/errors";
import type { TlsFiles } from "@donjon/host/agent/http/servers";
import type { Log } from "@donjon/host/agent/log";
import { readCertificates, readKey, readText } from "../tls/pem-files.ts";

export interface TlsOptions {
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly clientCa?: string;
}

/** `null`: none is given. Throws `usage` for one without the other, `files/read` for what cannot be used. */
export function readTlsFiles({ tlsCert, tlsKey, clientCa }: TlsOptions): TlsFiles | null {
  if (tlsCert === undefined && tlsKey === undefined && clientCa === undefined) return null;
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new DonjonError("usage", "TLS needs both --tls-cert and --tls-key");
  }
  const certificate = readText(tlsCert, "--tls-cert");
  const key = readText(tlsKey, "--tls-key");
  const [own] = readCertificates(certificate, tlsCert, "--tls-cert");
  if (!own!.checkPrivateKey(readKey(key, tlsKey, "--tls-key"))) {
    const message = `'${tlsKey}' (--tls-key) is not the key of the certificate in '${tlsCert}' (--tls-cert): the first certificate there has to be the agent's own, and the key its pair`;
    throw new DonjonError("files/read", message);
  }
  if (clientCa === undefined) return { certificate, key, clientCa: null };
  const authorities = readText(clientCa, "--client-ca");
  readCertificates(authorities, clientCa, "--client-ca");
  return { certificate, key, clientCa: authorities };
}

const READ_BY_OTHERS = 0o004;

/** No refusal: what mounts secrets often gives them the mode 0644, in a place that nobody else can enter. */
export function warnOfOpenKey({ tlsKey }: TlsOptions, log: Log): void {
  if (tlsKey === undefined) return;
  const { mode } = statSync(tlsKey);
  if ((mode & READ_BY_OTHERS) === 0) return;
  log("warn", "every user of this machine may read the agent's key", {
    path: tlsKey,
    mode: (mode & 0o7777).toString(8).padStart(4, "0"),
    advice: `chmod o= '${tlsKey}'`,
  });
}
