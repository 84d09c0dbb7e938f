/** The byte stream below a session: frames out in few large writes, bytes in as they come. */
import type { Duplex } from "node:stream";

export interface Wire {
  /** The two arrays follow each other on the stream; neither may change afterwards. */
  send(header: Uint8Array, payload: Uint8Array | null): void;
  close(): void;
}

/** What is sent within one turn of the event loop leaves in one write. */
export function createWire(stream: Duplex): Wire {
  let corked = false;
  const uncork = () => {
    corked = false;
    stream.uncork();
  };
  return {
    send(header, payload) {
      if (stream.destroyed || stream.writableEnded) return;
      if (!corked) {
        corked = true;
        stream.cork();
        process.nextTick(uncork);
      }
      stream.write(header);
      if (payload !== null) stream.write(payload);
    },
    close() {
      if (!stream.writableEnded) stream.end();
    },
  };
}
