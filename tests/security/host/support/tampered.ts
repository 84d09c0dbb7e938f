/** A byte stream with somebody in between, who sees and changes what passes. */
import { Duplex } from "node:stream";

/** What goes on in place of a piece; to pass it on unchanged is `(piece) => [piece]`. */
export type Tamper = (piece: Buffer) => readonly Uint8Array[];

export interface Between {
  /** What the caller writes. */
  readonly forth?: Tamper;
  /** What the caller reads. */
  readonly back?: Tamper;
}

const PASS: Tamper = (piece) => [piece];

/** The caller's end of `inner`. Nothing here waits for a slow reader: little passes in these tests. */
export function tamper(inner: Duplex, { forth = PASS, back = PASS }: Between): Duplex {
  const outer = new Duplex({
    read() {},
    write(piece: Buffer, _encoding, done) {
      for (const each of forth(piece)) if (inner.writable) inner.write(each);
      done();
    },
    final(done) {
      inner.end();
      done();
    },
    destroy(error, done) {
      inner.destroy();
      done(error);
    },
  });
  inner.on("data", (piece: Buffer) => {
    for (const each of back(piece)) if (!outer.readableEnded && !outer.destroyed) outer.push(each);
  });
  inner.on("end", () => outer.destroyed || outer.push(null));
  inner.on("error", (error) => outer.destroy(error));
  inner.on("close", () => outer.destroy());
  return outer;
}

/** Passes everything on and keeps it. */
export function keepIn(pieces: Buffer[]): Tamper {
  return (piece) => {
    pieces.push(Buffer.from(piece));
    return [piece];
  };
}
