/** `image.lock.json`: every input of an image but the runtime, which is built from the same sources as this command. */
import { readFileSync, writeFileSync } from "node:fs";
import { DonjonError } from "@donjon/core/errors";
import { explainSystemError } from "@donjon/core/system-error";

export interface LockedEngine {
  /** npm package. */
  readonly package: string;
  readonly version: string;
  /** Path of the engine inside the package. */
  readonly file: string;
  /** Of that file, lower-case hex. */
  readonly sha256: string;
}

export interface LockedPackage {
  /** Debian package. */
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** Of the `.deb`, lower-case hex. */
  readonly sha256: string;
  /** Files that are taken: path in the package to path in the image. */
  readonly files: Readonly<Record<string, string>>;
}

export interface ImageLock {
  readonly format: typeof LOCK_FORMAT;
  readonly engine: LockedEngine;
  /** Code name of the Debian release that packages come from, for example `bookworm`. */
  readonly suite: string;
  /** Libraries of the tree; then the kernel with its modules, the last. */
  readonly packages: readonly LockedPackage[];
}

export const LOCK_FORMAT = "donjon/image-lock/1";
const MAX_LOCK_BYTES = 1 << 20;
const SHA256 = /^[0-9a-f]{64}$/;
const NAME = /^[a-z0-9][a-z0-9.+-]{0,127}$/;
const VERSION = /^[A-Za-z0-9.+:~-]{1,128}$/;
const SUITE = /^[a-z]{1,32}$/;
const PATH = /^(?!.*(?:^|\/)\.\.?(?:\/|$))[A-Za-z0-9@%._+~-]+(?:\/[A-Za-z0-9@%._+~-]+)*$/;

/** Throws `files/read`, and `image/lock` for what is no lock file. */
export function readLock(path: string): ImageLock {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    const message = `the lock file '${path}' cannot be read: ${explainSystemError(cause)}`;
    throw new DonjonError("files/read", message, { cause });
  }
  return parseLock(text, path);
}

export function writeLock(path: string, lock: ImageLock): void {
  writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
}

/** What it names becomes arguments of programs and paths of files, so everything is held against its form. Throws `image/lock`. */
export function parseLock(text: string, path: string): ImageLock {
  const wrong = (what: string, cause?: unknown) =>
    new DonjonError(
      "image/lock",
      `'${path}' ${what}; take it from the repository again, or run 'donjon image update'`,
      { cause },
    );
  if (text.length > MAX_LOCK_BYTES) throw wrong("is too long for a lock file");
  let lock: ImageLock;
  try {
    lock = JSON.parse(text) as ImageLock;
  } catch (cause) {
    throw wrong("is no JSON", cause);
  }
  if (lock?.format !== LOCK_FORMAT) throw wrong(`is not of the format '${LOCK_FORMAT}'`);
  const checks: [string, unknown, RegExp][] = [
    ["suite", lock.suite, SUITE],
    ["engine.package", lock.engine?.package, NAME],
    ["engine.version", lock.engine?.version, VERSION],
    ["engine.file", lock.engine?.file, PATH],
    ["engine.sha256", lock.engine?.sha256, SHA256],
  ];
  if (!Array.isArray(lock.packages) || lock.packages.length === 0) throw wrong("has no packages");
  for (const [i, each] of lock.packages.entries()) {
    const files = Object.entries(each?.files ?? {});
    if (files.length === 0) throw wrong(`has no files in packages[${i}]`);
    checks.push(
      [`packages[${i}].name`, each.name, NAME],
      [`packages[${i}].version`, each.version, VERSION],
      [`packages[${i}].architecture`, each.architecture, NAME],
      [`packages[${i}].sha256`, each.sha256, SHA256],
      ...files
        .flat()
        .map((file): [string, unknown, RegExp] => [`packages[${i}].files`, file, PATH]),
    );
  }
  for (const [key, value, form] of checks) {
    if (typeof value !== "string" || !form.test(value))
      throw wrong(`has a wrong value in '${key}'`);
  }
  return lock;
}
