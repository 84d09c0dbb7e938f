/** Files of evidence commands. Everything here is a mistake of the caller's when it goes wrong: exit code 2. */
import { fstatSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { DonjonError } from "@donjon/core/errors";
import { explainSystemError } from "@donjon/core/system-error";

/** Octets of one file: evidence with its collateral takes some ten thousand. */
const MAX_FILE_BYTES = 16 << 20;
/** Entries of a collateral directory that are looked at. */
const MAX_DIRECTORY_FILES = 256;

/** @param path `-`: standard input. @throws DonjonError `files/read`, `files/limit` */
export function readFile(path: string): Uint8Array {
  return attempt(path, () => {
    const stdin = path === "-";
    // Standard input and pipes have no size before they are read.
    const { size } = stdin ? fstatSync(0) : statSync(path);
    if (size > MAX_FILE_BYTES) throw tooLarge(path, size);
    const bytes = readFileSync(stdin ? 0 : path);
    if (bytes.length > MAX_FILE_BYTES) throw tooLarge(path, bytes.length);
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  });
}

export function isDirectory(path: string): boolean {
  return path !== "-" && attempt(path, () => statSync(path).isDirectory());
}

/** The regular files of a directory that `wanted` names. @throws DonjonError `files/read`, `files/limit` */
export function readDirectory(
  path: string,
  wanted: ReadonlySet<string>,
): ReadonlyMap<string, Uint8Array> {
  const entries = attempt(path, () => readdirSync(path)).slice(0, MAX_DIRECTORY_FILES);
  const names = entries.filter((name) => wanted.has(name));
  if (names.length === 0) {
    const message = `'${path}' has none of ${[...wanted].join(", ")}`;
    throw new DonjonError("files/read", message);
  }
  return new Map(names.map((name) => [name, readFile(join(path, name))]));
}

function attempt<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof DonjonError) throw cause;
    const message = `'${path}' cannot be read: ${explainSystemError(cause)}`;
    throw new DonjonError("files/read", message, { cause });
  }
}

function tooLarge(path: string, size: number): DonjonError {
  return new DonjonError(
    "files/limit",
    `'${path}' has ${size} octets, wanted at most ${MAX_FILE_BYTES}`,
  );
}
