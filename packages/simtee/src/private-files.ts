/** The files of a security processor: only their owner reads them, and two processes may start at once. */
import { randomBytes } from "node:crypto";
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { DonjonError } from "@donjon/core/errors";

const DIRECTORY_MODE = 0o700;
const FILE_MODE = 0o600;
const OTHERS = 0o077;

/** Makes the directory when it is missing; the one above it is the caller's. @throws DonjonError `files/write`, `files/read` */
export function openPrivateDirectory(directory: string): void {
  attempt("files/write", `make the directory '${directory}'`, () => {
    try {
      mkdirSync(directory, { mode: DIRECTORY_MODE });
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
    }
  });
  requirePrivate(directory, "chmod 700");
}

/**
 * The text of a file that only its owner may read; `undefined` when there is none.
 * @throws DonjonError `files/read`
 */
export function readPrivateFile(path: string, maxBytes: number): string | undefined {
  if (!existsSync(path)) return undefined;
  const size = requirePrivate(path, "chmod 600");
  if (size > maxBytes) {
    throw new DonjonError(
      "files/read",
      `Cannot use '${path}': found ${size} octets, wanted at most ${maxBytes}; remove it`,
    );
  }
  return attempt("files/read", `read '${path}'`, () => readFileSync(path, "utf8"));
}

/** Makes a file whole or not at all; when another process was first, its file stays. @throws DonjonError `files/write` */
export function createPrivateFile(path: string, text: string): void {
  const draft = writeDraft(path, text);
  try {
    linkSync(draft, path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST")
      throw failure("files/write", `write '${path}'`, cause);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Replaces a file whole or not at all. @throws DonjonError `files/write` */
export function replacePrivateFile(path: string, text: string): void {
  const draft = writeDraft(path, text);
  attempt("files/write", `write '${path}'`, () => renameSync(draft, path));
}

function writeDraft(path: string, text: string): string {
  const draft = `${path}.${randomBytes(8).toString("hex")}`;
  attempt("files/write", `write '${draft}'`, () =>
    writeFileSync(draft, text, { flag: "wx", mode: FILE_MODE, flush: true }),
  );
  return draft;
}

/** Octets of a file or directory that others may not use. */
function requirePrivate(path: string, remedy: string): number {
  const { mode, size } = attempt("files/read", `look at '${path}'`, () => statSync(path));
  if ((mode & OTHERS) !== 0) {
    const found = (mode & 0o777).toString(8).padStart(4, "0");
    throw new DonjonError(
      "files/read",
      `Cannot use '${path}': found mode ${found}, wanted one that keeps others out: ${remedy} '${path}'`,
    );
  }
  return size;
}

function attempt<T>(code: "files/read" | "files/write", what: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    throw failure(code, what, cause);
  }
}

function failure(code: "files/read" | "files/write", what: string, cause: unknown): DonjonError {
  return new DonjonError(code, `Cannot ${what}: ${(cause as Error).message}`, { cause });
}
