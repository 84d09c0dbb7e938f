import type { IncomingMessage } from "node:http";
import { DonjonError } from "@donjon/core/errors";

/**
 * A request's body as text, told or not how long it is.
 * @throws DonjonError `bytes/limit` beyond `maxBytes`, `agent/protocol` when it is cut off
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<string> {
  const tooLong = () => new DonjonError("bytes/limit", `a request has at most ${maxBytes} bytes`);
  // Refused before it comes.
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) throw tooLong();
  const decoder = new TextDecoder();
  let [text, size] = ["", 0];
  try {
    // Its connection still has to carry the answer.
    for await (const piece of request.iterator({ destroyOnReturn: false })) {
      size += piece.length;
      if (size > maxBytes) throw tooLong();
      text += decoder.decode(piece, { stream: true });
    }
  } catch (cause) {
    if (cause instanceof DonjonError) throw cause;
    throw new DonjonError("agent/protocol", "the request's body was cut off", { cause });
  }
  return text + decoder.decode();
}
