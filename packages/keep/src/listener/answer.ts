/** Answers a request for evidence at the well-known address (docs/formats/binding.md) and closes. */
import type { Duplex } from "node:stream";
import {
  LINGER_MS,
  MAX_ATTESTATIONS_PER_SECOND,
  MAX_WAITING_ATTESTATIONS,
} from "@donjon/protocol/limits";

/** A CMW collection over this nonce and key; rejects when the platform gives no evidence. */
export type AttestKey = (nonce: Uint8Array | null, key: Uint8Array) => Promise<Uint8Array>;

/** `query`: from its `?` on; `key` of the certificate that this connection was served with. */
export type AnswerAttestation = (stream: Duplex, query: string, key: Uint8Array) => void;

export function createAnswerer(attest: AttestKey, now: () => number): AnswerAttestation {
  let second = 0;
  let answered = 0;
  let waiting = 0;
  return (stream, query, key) => {
    const nonce = /^\?nonce=([0-9a-f]{64})$/i.exec(query)?.[1];
    if (nonce === undefined) {
      send(stream, "400 Bad Request", "wanted ?nonce= and 64 hexadecimal digits, and nothing else");
      return;
    }
    if (now() - second >= 1000) {
      second = now();
      answered = 0;
    }
    if (answered >= MAX_ATTESTATIONS_PER_SECOND || waiting >= MAX_WAITING_ATTESTATIONS) {
      send(stream, "429 Too Many Requests", "too many ask for evidence; ask again in a second");
      return;
    }
    answered += 1;
    waiting += 1;
    const settle = (status: string, body: string | Uint8Array) => {
      waiting -= 1;
      send(stream, status, body);
    };
    attest(Buffer.from(nonce, "hex"), key).then(
      (cmw) => settle("200 OK", cmw),
      () => settle("503 Service Unavailable", "this Keep's platform gives no evidence"),
    );
  };
}

function send(stream: Duplex, status: string, body: string | Uint8Array): void {
  const [type, content] =
    typeof body === "string"
      ? ["text/plain; charset=utf-8", Buffer.from(`${body}\n`)]
      : ["application/cmw+cbor", body];
  stream.write(
    `HTTP/1.1 ${status}\r\nContent-Type: ${type}\r\nContent-Length: ${content.length}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n`,
  );
  // What follows the request is read and dropped: a close with unread octets could overtake the answer.
  stream.resume().end(content);
  setTimeout(() => stream.destroy(), LINGER_MS).unref();
}
