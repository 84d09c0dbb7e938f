/** This process's descriptors 0, 1 and 2 as streams, with back-pressure and large reads. */
import { createReadStream, createWriteStream, fstatSync } from "node:fs";
import { Socket } from "node:net";
import { PassThrough, Readable, type Writable } from "node:stream";
import { isatty } from "node:tty";
import type { StandardStream } from "@donjon/client/session";

const STREAMS = ["stdin", "stdout", "stderr"] as const;

/** Which of this process's streams are terminals. */
export function listTerminals(): StandardStream[] {
  return STREAMS.filter((_, fd) => isatty(fd));
}

/** Bytes of one read or write of a file: large enough that system calls do not count. */
const BLOCK_BYTES = 1 << 20;

/** Standard input; a closed one is at its end. */
export function openStdin(): Readable {
  let stat: ReturnType<typeof fstatSync>;
  try {
    stat = fstatSync(0);
  } catch {
    return Readable.from([]);
  }
  if (stat.isFile())
    return createReadStream("", { fd: 0, highWaterMark: BLOCK_BYTES, autoClose: false });
  return process.stdin;
}

/**
 * A pipe is written without waiting, so that Ctrl-C works while nobody reads; the engine's own
 * `process.stdout` may block there. A file is written by other threads, because that costs as much as everything else
 * that this one does. Terminals take what they get.
 */
export function openOutput(fd: 1 | 2): Writable {
  let stat: ReturnType<typeof fstatSync>;
  try {
    stat = fstatSync(fd);
  } catch {
    return new PassThrough().resume();
  }
  if (stat.isFile() && !isOneFile()) {
    return createWriteStream("", { fd, highWaterMark: BLOCK_BYTES, autoClose: false });
  }
  if (stat.isFIFO() || stat.isSocket()) return new Socket({ fd, readable: false, writable: true });
  return fd === 1 ? process.stdout : process.stderr;
}

/** `> file 2>&1`: what goes to both stays in the order in which it came, so it is written at once. */
function isOneFile(): boolean {
  try {
    const [out, err] = [fstatSync(1), fstatSync(2)];
    return out.dev === err.dev && out.ino === err.ino;
  } catch {
    return false;
  }
}

/** Resolves when all that `from` gives has been handed to the system, or nobody takes it any more. */
export function pipeOutput(
  from: Readable,
  to: Writable,
  onBroken: (error: Error) => void,
): Promise<void> {
  return new Promise((resolve) => {
    to.on("error", (error) => {
      from.destroy();
      onBroken(error);
      resolve();
    });
    from.on("data", (chunk: Uint8Array) => {
      if (!to.write(chunk)) from.pause();
    });
    to.on("drain", () => from.resume());
    // An empty write comes after all others; stdout itself stays open for the rest of the process.
    from.on("end", () => to.write("", () => resolve()));
  });
}
