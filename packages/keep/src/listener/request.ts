/** Which connections of a TLS listener ask the Keep for its evidence; all others are the workload's, octet for octet. */
import type { Duplex } from "node:stream";
import { ATTESTATION_REQUEST_MS, MAX_ATTESTATION_REQUEST_BYTES } from "@donjon/protocol/limits";

export const ATTESTATION_PATH = "/.well-known/donjon/attestation";

/**
 * Calls `answer` with the query when a whole request for evidence stands first on the stream, else `pass` as soon as
 * that is known, or when time is up. For `pass`, the stream is as it came: nothing is read from it.
 */
export function awaitRequest(
  stream: Duplex,
  answer: (query: string) => void,
  pass: () => void,
): void {
  let seen = 0;
  const settle = (act: () => void) => {
    clearTimeout(timer);
    stream.off("readable", look).off("close", forget);
    // The stream forgets its listener in the next tick; until then its next reader would find it paused.
    setImmediate(() => {
      if (!stream.destroyed) act();
    });
  };
  const look = () => {
    if (stream.readableLength === seen) return;
    const head: Buffer = stream.read(stream.readableLength);
    stream.unshift(head);
    seen = head.length;
    const query = readQuery(head);
    if (query === null) settle(pass);
    else if (query !== undefined) settle(() => answer(query));
  };
  const forget = () => settle(() => {});
  const timer = setTimeout(() => settle(pass), ATTESTATION_REQUEST_MS);
  stream.on("readable", look).on("close", forget);
}

const START = `GET ${ATTESTATION_PATH}`;
/** RFC 9112, section 3. */
const REQUEST_LINE = new RegExp(`^${START.replaceAll(".", "\\.")}(\\?\\S*|) HTTP/1\\.[01]$`);

/** `null`: something else; `undefined`: more octets will tell. */
function readQuery(head: Buffer): string | null | undefined {
  const text = head.toString("latin1", 0, MAX_ATTESTATION_REQUEST_BYTES);
  if (!START.startsWith(text.slice(0, START.length))) return null;
  if (text.length > START.length && !" ?".includes(text.charAt(START.length))) return null;
  const lineEnd = text.indexOf("\r\n");
  const query = REQUEST_LINE.exec(text.slice(0, lineEnd))?.[1];
  if (lineEnd >= 0 && query === undefined) return null;
  if (text.includes("\r\n\r\n")) return query;
  return text.length < MAX_ATTESTATION_REQUEST_BYTES ? undefined : null;
}
