/** Reading from streams by who keeps nothing of what it is given. */
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { readAtOnce } from "@donjon/protocol/gate/duplex";
import { releaseBuffer } from "@donjon/protocol/gate/memory";

/** What reads from the engine here, TLS and plain sockets: the engine's buffers are shared by all, and each is used from its start to its end. */
const sockets = new Set<Duplex>();
/** How many there were, ever. */
let opened = 0;

/** To be told of each TLS of the process before anything comes out of it: nobody's buffer may be given back under another's pieces. */
export function noteSocket(socket: Duplex): void {
  if (sockets.has(socket)) return;
  sockets.add(socket);
  opened += 1;
  socket.once("close", () => sockets.delete(socket));
}

/**
 * Calls `use` with each piece that comes from a gate's stream, a socket or TLS. It has done with the piece when it returns: the
 * memory is given back then, or when the next has come. Nothing else may read from the stream or put anything back into it.
 */
export function readPieces(stream: Duplex, use: (piece: Uint8Array) => void): void {
  readAtOnce(stream);
  if (stream instanceof Socket) {
    noteSocket(stream);
    stream.on("data", releaseAfter(use));
  } else stream.on("data", use);
}

/**
 * A buffer is done with when a piece of another comes. It is given back only if this socket was the only one from its start
 * on: others may have pieces in it that wait to be read.
 */
function releaseAfter(use: (piece: Uint8Array) => void): (piece: Uint8Array) => void {
  let last: ArrayBufferLike | null = null;
  /** `opened` when it came; -1: others were there. */
  let since = -1;
  /** Where its next piece lies if nobody got one in between. */
  let end = 0;
  return (piece) => {
    use(piece);
    if (piece.buffer !== last) {
      if (last !== null && since === opened) releaseBuffer(last);
      last = piece.buffer;
      since = sockets.size === 1 ? opened : -1;
      end = 0;
    }
    if (piece.byteOffset !== end) since = -1;
    end = piece.byteOffset + piece.length;
  };
}
