/** The parts of a provision on their way up, also those that are read while they are sent. */
import type { ChannelWriter } from "@donjon/protocol/session/channel-writer";
import type { LazyBytes } from "./session.ts";

/** Octets that are read at once. */
const PIECE_BYTES = 128 << 10;
/** Pieces that may wait for the stream: while the other end works on some, the next are read. */
const PIECES = 4;

export interface UploadWatch {
  /** Settles when the run is over: then nothing more is read. */
  readonly over: Promise<unknown>;
  /** Called after each lazy piece. */
  onSent(): void;
}

/** What is there leaves at once, what is lazy as fast as the stream takes it. Rejects with what the reading throws. */
export async function sendParts(
  parts: readonly (Uint8Array | LazyBytes)[],
  upload: ChannelWriter,
  { over, onSent }: UploadWatch,
): Promise<void> {
  let isOver = false;
  let wake = () => {};
  const stop = () => {
    isOver = true;
    wake();
  };
  over.then(stop, stop);
  // The same memory again and again: fresh pages cost as much as what is read to them.
  const free: Uint8Array[] = [];
  let pieces = 0;
  const take = async (): Promise<Uint8Array> => {
    // The stream passes on what it has before the next piece is read.
    await new Promise(setImmediate);
    if (free.length === 0 && pieces < PIECES) {
      pieces += 1;
      return new Uint8Array(PIECE_BYTES);
    }
    while (free.length === 0 && !isOver) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return free.pop() ?? new Uint8Array(0);
  };
  const give = (memory: Uint8Array) => {
    free.push(memory);
    wake();
  };
  for (const part of parts) {
    if (part instanceof Uint8Array) {
      upload.write(part, null);
      continue;
    }
    for (;;) {
      const memory = await take();
      if (isOver) return;
      const count = part.read(memory);
      if (count > 0) upload.write(memory.subarray(0, count), null, () => give(memory));
      else give(memory);
      if (count === 0) break;
      onSent();
    }
  }
  upload.end();
}
