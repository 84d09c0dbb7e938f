import { type ClientMessage, parseClientMessage } from "./client-message.ts";
import type { KeepMessage } from "./keep-message.ts";
import { createMessageOrder } from "./order.ts";
import { type SessionEvents, SessionPeer } from "./peer.ts";

/** The Keep's end. */
export class KeepPeer extends SessionPeer<KeepMessage, ClientMessage> {
  constructor(events: SessionEvents<ClientMessage>) {
    const order = createMessageOrder("client");
    super("keep", events, (payload) => {
      const message = parseClientMessage(payload);
      order(message.type);
      return message;
    });
  }
}
