/** Reading from streams by who keeps nothing of what it is given. */
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { readAtOnce } from "@donjon/protocol/gate/duplex";
import { releaseBuffer } from "@donjon/protocol/gate/memory";

/**
 * Calls `use` with each piece that comes from a gate's stream, a socket or TLS. It has done with the piece when it returns: the
 * memory is given back then, or when the next has come. Nothing else may read from the stream or put anything back into it.
 */
export function readPieces(stream: Duplex, use: (piece: Uint8Array) => void): void {
  readAtOnce(stream);
  stream.on("data", stream instanceof Socket ? releaseAfter(use) : use);
}

/** What a socket gives out lies in buffers of its own. Pieces in a row share one, so it is done with when a piece of another comes. */
function releaseAfter(use: (piece: Uint8Array) => void): (piece: Uint8Array) => void {
  let last: ArrayBufferLike | null = null;
  return (piece) => {
    use(piece);
    if (piece.buffer === last) return;
    if (last !== null) releaseBuffer(last);
    last = piece.buffer;
  };
}
