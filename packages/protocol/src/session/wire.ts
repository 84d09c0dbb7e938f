/** The byte stream below a session: frames out in few large writes. */

/** The part of a Node `Duplex` that a session writes to. */
export interface WritableBytes {
  readonly destroyed: boolean;
  readonly writableEnded: boolean;
  cork(): void;
  uncork(): void;
  write(bytes: Uint8Array, done?: () => void): boolean;
}

/**
 * Sends header and payload, one after the other. `sent` is called when the stream has passed both on;
 * the payload must not change before.
 */
export type SendFrame = (
  header: Uint8Array,
  payload: Uint8Array | null,
  sent: (() => void) | null,
) => void;

/** What is sent within one turn of the event loop leaves in one write. Sends nothing once the stream has ended. */
export function createFrameSender(stream: WritableBytes): SendFrame {
  let corked = false;
  const uncork = () => {
    corked = false;
    stream.uncork();
  };
  return (header, payload, sent) => {
    if (stream.destroyed || stream.writableEnded) return;
    if (!corked) {
      corked = true;
      stream.cork();
      queueMicrotask(uncork);
    }
    const done = sent ?? undefined;
    if (payload === null) {
      stream.write(header, done);
    } else {
      stream.write(header);
      stream.write(payload, done);
    }
  };
}
