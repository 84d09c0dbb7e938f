/** The large parts of a provision, which are read and hashed while they are sent, or before. */
import { closeSync, openSync, readSync, statSync } from "node:fs";
import type { LazyBytes } from "@donjon/client/session";
import { DonjonError } from "@donjon/core/errors";
import { explainSystemError } from "@donjon/core/system-error";
import { MAX_WORKLOAD_BYTES } from "@donjon/protocol/limits";
import { formatBytes } from "../output/progress.ts";
import { hashSha256 } from "./digest.ts";
import { readInput } from "./target.ts";

export interface Content {
  readonly bytes: Uint8Array | LazyBytes;
  /** Lower-case hex; as many zeros until all was read. */
  sha256(): string;
}

/** Called with the digest before what names it is sent. Throws when it is not the one that is wanted. */
type Check = (sha256: string) => void;

const UNKNOWN = "0".repeat(64);
/** Modules below this size are read at once: nothing is won by doing two things at a time. */
const LAZY_BYTES = 1 << 20;

/**
 * The module at `path`.
 * @throws DonjonError `workload/not-found`, `workload/limit`, those of `check`; also from its pieces, and `files/read` for a file
 *   that changes meanwhile
 */
export function openModule(path: string, check: Check): Content {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) {
    throw new DonjonError(
      "workload/not-found",
      `there is no file '${path}', which the manifest names as the program; build it, or change the manifest`,
    );
  }
  if (stat.isFile() && stat.size > MAX_WORKLOAD_BYTES) {
    throw new DonjonError(
      "workload/limit",
      `'${path}' has ${formatBytes(stat.size)}, and a module may have at most ${formatBytes(MAX_WORKLOAD_BYTES)}`,
    );
  }
  if (stat.isFile() && stat.size >= LAZY_BYTES) {
    return hashWhileRead({ length: stat.size, read: openFile(path, stat.size) }, check);
  }
  const bytes = readInput(path);
  const sha256 = hashSha256(bytes);
  check(sha256);
  return { bytes, sha256: () => sha256 };
}

/** The same bytes, hashed on their way. */
export function hashWhileRead({ length, read }: LazyBytes, check: Check): Content {
  let sha256 = UNKNOWN;
  const hash = process.getBuiltinModule("node:crypto").createHash("sha256");
  const pass = (to: Uint8Array): number => {
    const count = read(to);
    hash.update(to.subarray(0, count));
    if (count === 0) {
      sha256 = hash.digest("hex");
      check(sha256);
    }
    return count;
  };
  return { bytes: { length, read: pass }, sha256: () => sha256 };
}

/** Bytes of one read, so that there is progress to tell. */
const READ_BYTES = 1 << 20;

/** All that is lazy, read now. `onProgress` is told how many bytes are done. */
export function readAll(
  bytes: Uint8Array | LazyBytes,
  onProgress: (done: number, total: number) => void = () => {},
): Uint8Array {
  if (bytes instanceof Uint8Array) return bytes;
  const whole = new Uint8Array(bytes.length);
  let done = 0;
  for (;;) {
    // At the end there is no room left, and that there is nothing more must show all the same.
    const count = bytes.read(
      done < whole.length ? whole.subarray(done, done + READ_BYTES) : new Uint8Array(1),
    );
    if (count === 0) return whole;
    done += count;
    onProgress(done, whole.length);
  }
}

/** Reads a file of `size` bytes, and not one more or less. It is closed when all of it was read, and after an error. */
function openFile(path: string, size: number): LazyBytes["read"] {
  let fd: number | null = null;
  let left = size;
  return (to) => {
    try {
      fd ??= openSync(path, "r");
      const count = readSync(fd, to);
      left -= count;
      if (left < 0 || (count === 0 && left > 0)) {
        throw new DonjonError(
          "files/read",
          `'${path}' changed while it was read; leave it alone and try again`,
        );
      }
      if (count === 0) closeSync(fd);
      return count;
    } catch (cause) {
      if (fd !== null) closeSync(fd);
      throw cause instanceof DonjonError ? cause : unreadable(path, cause);
    }
  };
}

function unreadable(path: string, cause: unknown): DonjonError {
  return new DonjonError(
    "workload/not-found",
    `'${path}' cannot be read: ${explainSystemError(cause)}`,
    { cause },
  );
}
