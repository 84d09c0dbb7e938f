/** Certificates and keys in files that a flag names: each is looked at, so that what is wrong has a name. */
import type { KeyObject, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { DonjonError } from "@donjon/core/errors";
import { explainSystemError } from "@donjon/core/system-error";

const BLOCK = /-----BEGIN ([A-Z0-9 ]{1,64})-----[^-]*-----END \1-----/g;
const CERTIFICATE = "CERTIFICATE";
const CERTIFICATES_WANTED = "a certificate in PEM ('-----BEGIN CERTIFICATE-----')";
const KEY_WANTED = "a private key in PEM without a passphrase ('-----BEGIN PRIVATE KEY-----')";

/** Milliseconds that a command on Keeps pays only when it is given such files. */
const loadCrypto = () => process.getBuiltinModule("node:crypto");

/** At least one. `text` is what the file at `path` holds. Throws `files/read`, as all here. */
export function readCertificates(text: string, path: string, option: string): X509Certificate[] {
  const blocks = [...text.matchAll(BLOCK)].filter(([, label]) => label === CERTIFICATE);
  if (blocks.length === 0) throw wrong(path, option, describe(text), CERTIFICATES_WANTED);
  return blocks.map(([pem], i) => {
    try {
      return new (loadCrypto().X509Certificate)(pem);
    } catch (cause) {
      throw wrong(path, option, `number ${i + 1} in it is damaged`, CERTIFICATES_WANTED, cause);
    }
  });
}

export function readKey(text: string, path: string, option: string): KeyObject {
  const isKey = [...text.matchAll(BLOCK)].some(([, label]) => label!.endsWith("PRIVATE KEY"));
  if (!isKey) throw wrong(path, option, describe(text), KEY_WANTED);
  try {
    return loadCrypto().createPrivateKey(text);
  } catch (cause) {
    const found = /ENCRYPTED/.test(text) ? "a key behind a passphrase" : "a damaged key";
    throw wrong(path, option, `it holds ${found}`, KEY_WANTED, cause);
  }
}

/** What is in the file in place of what is wanted; never its contents. */
function describe(text: string): string {
  if (text.trim() === "") return "it is empty";
  const labels = [...new Set([...text.matchAll(BLOCK)].map(([, label]) => label))];
  return labels.length === 0 ? "it is no PEM" : `it holds '${labels.join("', '")}'`;
}

function wrong(
  path: string,
  option: string,
  found: string,
  wanted: string,
  cause?: unknown,
): DonjonError {
  const message = `'${path}' (${option}) cannot be used: ${found}, and ${wanted} is wanted`;
  return new DonjonError("files/read", message, { cause });
}

export function readText(path: string, option: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const message = `'${path}' (${option}) cannot be read: ${explainSystemError(cause)}`;
    throw new DonjonError("files/read", message, { cause });
  }
}
