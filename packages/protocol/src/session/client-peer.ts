import type { ClientMessage } from "./client-message.ts";
import { type KeepMessage, parseKeepMessage } from "./keep-message.ts";
import { createMessageOrder } from "./order.ts";
import { type SessionEvents, SessionPeer } from "./peer.ts";

/** The relying party's end. */
export class ClientPeer extends SessionPeer<ClientMessage, KeepMessage> {
  constructor(events: SessionEvents<KeepMessage>) {
    const order = createMessageOrder("keep");
    super("client", events, (payload) => {
      const message = parseKeepMessage(payload);
      order(message.type);
      return message;
    });
  }
}
