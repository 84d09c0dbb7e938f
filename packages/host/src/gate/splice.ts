/** Joins two byte streams: what one gives, the other gets, each direction ending by itself. */
import { type Duplex, finished } from "node:stream";

/** Resolves when both are closed. An error of one is the end of the other. */
export function splice(a: Duplex, b: Duplex): Promise<void> {
  a.pipe(b);
  b.pipe(a);
  return Promise.all([closeWith(a, b), closeWith(b, a)]).then(() => {});
}

/** When `stream` breaks, `other` is destroyed too, but not before it has passed on what came to a clean end. */
function closeWith(stream: Duplex, other: Duplex): Promise<void> {
  return new Promise((resolve) => {
    stream.on("error", () => other.destroy());
    stream.on("close", () => {
      if (!stream.readableEnded) other.destroy();
      else if (!stream.writableFinished)
        finished(other, { readable: false }, () => other.destroy());
      resolve();
    });
  });
}
