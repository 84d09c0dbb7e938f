/**
 * A Keep whose pipes carry no more than a rate. Everything that leaves or enters it counts: sessions, listeners,
 * connections, and the frames around them.
 */
import { Duplex } from "node:stream";
import type { StartedKeep } from "../backend/backend.ts";
import { TokenBucket } from "./token-bucket.ts";

/** `bytesPerS` for all pipes and both directions together. */
export function throttleKeep(keep: StartedKeep, bytesPerS: number): StartedKeep {
  const { lane } = keep;
  const bucket = new TokenBucket(bytesPerS, performance.now());
  const streams = {
    in: throttleStream(keep.in, bucket),
    out: throttleStream(keep.out, bucket),
    lane: lane === null ? null : { ...lane, stream: throttleStream(lane.stream, bucket) },
  };
  return {
    ...streams,
    ended: keep.ended,
    get sandbox() {
      return keep.sandbox;
    },
    get image() {
      return keep.image;
    },
    measure: () => keep.measure(),
    kill: () => keep.kill(),
  };
}

/** What `inner` carries, no faster than `bucket` allows. */
export function throttleStream(inner: Duplex, bucket: TokenBucket): Duplex {
  const timers = new Set<NodeJS.Timeout>();
  const afterWait = (bytes: number, go: () => void): void => {
    const waitMs = bucket.take(bytes, performance.now());
    if (waitMs === 0) {
      go();
      return;
    }
    const timer = setTimeout(() => {
      timers.delete(timer);
      go();
    }, waitMs);
    timers.add(timer);
  };
  const outer = new Duplex({
    allowHalfOpen: true,
    read() {
      inner.resume();
    },
    write(chunk: Uint8Array, _encoding, done) {
      // Done only when it is written: until then its owner leaves the chunk as it is.
      afterWait(chunk.length, () => inner.write(chunk, () => done()));
    },
    final(done) {
      inner.end(done);
    },
    destroy(error, done) {
      for (const timer of timers) clearTimeout(timer);
      inner.destroy();
      done(error);
    },
  });
  inner.on("data", (chunk: Uint8Array) => {
    inner.pause();
    afterWait(chunk.length, () => {
      if (outer.push(chunk)) inner.resume();
    });
  });
  inner.on("end", () => afterWait(0, () => outer.push(null)));
  inner.on("error", () => outer.destroy());
  // After a clean end the last octets may still wait for their turn.
  inner.on("close", () => {
    if (!inner.readableEnded || !inner.writableFinished) outer.destroy();
  });
  return outer;
}
