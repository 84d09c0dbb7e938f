/**
 * A Keep whose pipes carry no more than a rate. Everything that leaves or enters it counts: sessions, listeners,
 * connections, and the frames around them.
 */
import { Duplex } from "node:stream";
import { DonjonError } from "@donjon/core/errors";
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
  /** Whether a chunk waits for its turn: nothing that came later may overtake it, an end neither. */
  let holds = false;
  let ended = false;
  /** Of the write that waits. */
  let written: ((error?: Error | null) => void) | null = null;
  const outer = new Duplex({
    allowHalfOpen: true,
    read() {
      if (!holds) inner.resume();
    },
    write(chunk: Uint8Array, _encoding, done) {
      written = done;
      // Done only when it is written: until then its owner leaves the chunk as it is.
      afterWait(chunk.length, () => {
        written = null;
        inner.write(chunk, () => done());
      });
    },
    final(done) {
      inner.end(done);
    },
    destroy(error, done) {
      for (const timer of timers) clearTimeout(timer);
      inner.destroy();
      written?.(error ?? new DonjonError("gate/closed", "the stream was closed"));
      done(error);
    },
  });
  inner.on("data", (chunk: Uint8Array) => {
    holds = true;
    inner.pause();
    afterWait(chunk.length, () => {
      holds = false;
      const wantsMore = outer.push(chunk);
      if (ended) outer.push(null);
      else if (wantsMore) inner.resume();
    });
  });
  inner.on("end", () => {
    ended = true;
    if (!holds) outer.push(null);
  });
  inner.on("error", () => outer.destroy());
  // After a clean end the last octets may still wait for their turn.
  inner.on("close", () => {
    if (!inner.readableEnded || !inner.writableFinished) outer.destroy();
  });
  return outer;
}
