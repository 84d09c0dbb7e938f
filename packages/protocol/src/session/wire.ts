/** The byte stream below a session: frames out in few large writes. */

/** The part of a Node `Duplex` that a session writes to. */
export interface WritableBytes {
  readonly destroyed: boolean;
  readonly writableEnded: boolean;
  cork(): void;
  uncork(): void;
  write(bytes: Uint8Array, done: (error?: Error | null) => void): boolean;
}

/**
 * Sends header and payload, one after the other. `sent` is called when the stream has passed both on, and never when it breaks
 * first; the payload must not change before.
 */
export type SendFrame = (
  header: Uint8Array,
  payload: Uint8Array | null,
  sent: (() => void) | null,
) => void;

/** Of a record of TLS 1.3, and what sealing adds to it: header, content type and tag (RFC 8446, section 5.2; AES-GCM). */
const RECORD_BYTES = 16 << 10;
const SEAL_BYTES = 5 + 1 + 16;

/**
 * Octets that the stream is given at once. TLS seals all that it is given before the first of it leaves, and the other end, whose
 * work is to open it, waits meanwhile: with small pieces both work at the same time. Sealed, a piece is the 64 KiB that the engine
 * reads at once.
 */
const PIECE_BYTES = 4 * (RECORD_BYTES - SEAL_BYTES);

interface Part {
  bytes: Uint8Array;
  readonly sent: (() => void) | null;
}

/** What is sent within one turn of the event loop leaves together, piece by piece. Sends nothing once the stream has ended. */
export function createFrameSender(stream: WritableBytes): SendFrame {
  const parts: Part[] = [];
  /** Whether a piece is on its way, or will be at the end of this turn. */
  let busy = false;
  const sendPiece = (): void => {
    if (stream.destroyed || stream.writableEnded) parts.length = 0;
    const piece = takePiece(parts);
    const last = piece.at(-1);
    busy = last !== undefined;
    if (!busy) return;
    stream.cork();
    for (const part of piece) {
      stream.write(part.bytes, (error) => {
        // It is about to be destroyed, and does not know yet.
        if (error) parts.length = 0;
        else part.sent?.();
        if (part === last) sendPiece();
      });
    }
    stream.uncork();
  };
  return (header, payload, sent) => {
    if (stream.destroyed || stream.writableEnded) return;
    if (payload === null) parts.push({ bytes: header, sent });
    else parts.push({ bytes: header, sent: null }, { bytes: payload, sent });
    if (busy) return;
    busy = true;
    queueMicrotask(sendPiece);
  };
}

/** The next octets in order, `PIECE_BYTES` at most. A part that does not fit is cut, and is sent when its rest is. */
function takePiece(parts: Part[]): Part[] {
  const piece: Part[] = [];
  let room = PIECE_BYTES;
  for (let head = parts[0]; head !== undefined && room > 0; head = parts[0]) {
    const bytes = head.bytes.subarray(0, room);
    const whole = bytes.length === head.bytes.length;
    room -= bytes.length;
    piece.push({ bytes, sent: whole ? head.sent : null });
    if (whole) parts.shift();
    else head.bytes = head.bytes.subarray(bytes.length);
  }
  return piece;
}
