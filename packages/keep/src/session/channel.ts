/**
 * What carries a session inside the Keep. This file is the only one that knows whether the stream is bare
 * or TLS with evidence: everything above sees a `Channel`.
 */
import type { Duplex } from "node:stream";

export interface Channel {
  /** The bytes of the session, after whatever protects them. */
  readonly stream: Duplex;
  /** Whether the client has had evidence about this Keep, bound to this very channel. */
  readonly attested: boolean;
}

/** The bare stream: no evidence, no secrecy. The host reads and changes everything that passes. */
export function openChannelWithoutEvidence(stream: Duplex): Channel {
  return { stream, attested: false };
}
