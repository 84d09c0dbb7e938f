/**
 * The owner's private key: who provisions a Keep with it may come back to that Keep, and nobody else may. One file,
 * made at first use.
 */
import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { linkSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DonjonError } from "@donjon/core/errors";
import { explainSystemError } from "@donjon/core/system-error";
import { makeDirectory } from "@donjon/host/files/make-directory";
import { configDirectory } from "@donjon/host/image/places";

const CURVE = "P-256";
/** The curve as OpenSSL calls it. */
const OPENSSL_CURVE = "prime256v1";
/** Characters of a key file: one key takes some 250. */
const MAX_KEY_CHARACTERS = 16_384;
const OTHERS_MAY = 0o077;

export function findOwnerKey(): string {
  return join(configDirectory(), "owner.pem");
}

/**
 * @param file given by the caller, and then it must be there; without one the default file is made at first use
 * @throws DonjonError `files/read` for a file that others may read or that holds no P-256 key, `files/write`
 */
export function openOwnerKey(file?: string): KeyObject {
  if (file !== undefined) return readKey(file);
  const path = findOwnerKey();
  if (statSync(path, { throwIfNoEntry: false }) === undefined) createKey(path);
  return readKey(path);
}

function createKey(path: string): void {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: CURVE });
  const pem = privateKey.export({ type: "pkcs8", format: "pem" });
  // Two commands at first use must agree on one key: the link is made by one of them, whole.
  const draft = `${path}.${process.pid}`;
  makeDirectory(dirname(path));
  try {
    writeFileSync(draft, pem, { mode: 0o600, flag: "wx" });
    linkSync(draft, path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") return;
    throw new DonjonError(
      "files/write",
      `the owner's key '${path}' cannot be made: ${explainSystemError(cause)}; give another place with --identity FILE or XDG_CONFIG_HOME`,
      { cause },
    );
  } finally {
    rmSync(draft, { force: true });
  }
}

function readKey(path: string): KeyObject {
  const { mode, text } = readFile(path);
  if ((mode & OTHERS_MAY) !== 0) {
    throw unusable(
      path,
      `others may read or change it (mode ${(mode & 0o777).toString(8)})`,
      `chmod 600 '${path}'`,
    );
  }
  let key: KeyObject;
  try {
    key = createPrivateKey(text);
  } catch (cause) {
    throw unusable(path, "it holds no private key in PEM that can be read", remake(path), cause);
  }
  const { namedCurve = "none" } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType !== "ec" || namedCurve !== OPENSSL_CURVE) {
    const found = `${key.asymmetricKeyType} key${key.asymmetricKeyType === "ec" ? ` on ${namedCurve}` : ""}`;
    throw unusable(path, `it holds an ${found}, wanted an ec key on ${CURVE}`, remake(path));
  }
  return key;
}

function readFile(path: string): { mode: number; text: string } {
  try {
    const { mode, size } = statSync(path);
    if (size > MAX_KEY_CHARACTERS) return { mode, text: "" };
    return { mode, text: readFileSync(path, "latin1").slice(0, MAX_KEY_CHARACTERS) };
  } catch (cause) {
    throw unusable(path, `it cannot be read: ${explainSystemError(cause)}`, remake(path), cause);
  }
}

function remake(path: string): string {
  return `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:${CURVE} -out '${path}'`;
}

function unusable(path: string, why: string, command: string, cause?: unknown): DonjonError {
  return new DonjonError(
    "files/read",
    `the owner's key '${path}' cannot be used: ${why}; try: ${command}`,
    { cause, details: { path } },
  );
}
