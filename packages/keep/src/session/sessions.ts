/** The sessions of one Keep: how many at once, over what, and what is made ready before the first. */
import { MUX_REFUSAL } from "@donjon/protocol/gate/mux";
import { MAX_SESSIONS } from "@donjon/protocol/limits";
import type { SessionCall } from "../gate/server.ts";
import { type Channel, openBareChannel } from "./channel.ts";
import type { Keep } from "./keep.ts";
import type { AcceptSession } from "./secured.ts";
import { serveSession } from "./server.ts";

export interface SessionsOptions {
  /** Whether sessions without evidence are refused. */
  readonly onlySecured: boolean;
  /** Loads TLS and makes the Keep's key. */
  readonly openAcceptor: () => Promise<AcceptSession>;
}

/** A Keep to which nobody has come for so long is a pooled one: it uses the time. */
const IDLE_MS = 50;

export class Sessions {
  readonly #keep: Keep;
  readonly #options: SessionsOptions;
  readonly #idle: NodeJS.Timeout;
  #acceptor: Promise<AcceptSession> | null = null;
  #open = 0;

  constructor(keep: Keep, options: SessionsOptions) {
    this.#keep = keep;
    this.#options = options;
    this.#idle = setTimeout(() => this.#prepare(), IDLE_MS).unref();
  }

  onCall(call: SessionCall, bare: boolean): void {
    clearTimeout(this.#idle);
    if (this.#open >= MAX_SESSIONS) {
      call.refuse(MUX_REFUSAL.busy, `this Keep has ${MAX_SESSIONS} sessions open already`);
    } else if (bare && this.#options.onlySecured) {
      const reason = 'this Keep has evidence to give and no session without it; open "session"';
      call.refuse(MUX_REFUSAL.refused, reason);
    } else {
      const stream = call.accept();
      this.#open += 1;
      stream.once("close", () => {
        this.#open -= 1;
      });
      const serve = (channel: Channel) => serveSession(channel, this.#keep);
      if (bare) serve(openBareChannel(stream));
      else this.#prepare().then((accept) => accept(stream, serve));
    }
  }

  #prepare(): Promise<AcceptSession> {
    this.#acceptor ??= this.#options.openAcceptor();
    return this.#acceptor;
  }
}
