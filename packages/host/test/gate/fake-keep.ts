/** The host's pipes with a test at their other ends instead of a Keep. */
import { Duplex, duplexPair } from "node:stream";
import { type GatePipe, openGatePipe } from "@donjon/protocol/gate/pipe";
import type { StartedKeep } from "../../src/backend/backend.ts";

export interface FakeKeep {
  /** The Keep's ends of the pipes. */
  readonly in: Duplex;
  readonly out: Duplex;
  readonly started: StartedKeep;
}

export function createFakeKeep(): FakeKeep {
  const [inside, hostIn] = duplexPair();
  const [outside, hostOut] = duplexPair();
  return {
    in: inside,
    out: outside,
    started: {
      in: hostIn,
      out: hostOut,
      lane: null,
      ended: new Promise(() => {}),
      sandbox: "none",
      image: "none",
      measure: () => Promise.reject(new Error("nothing was launched")),
      kill: () => {},
    },
  };
}

export function callHost(fake: FakeKeep): GatePipe<Duplex> {
  return openGatePipe(fake.out, { role: "caller", Duplex });
}

/** "accepted", or the sentence of the refusal. */
export function ask(pipe: GatePipe<Duplex>, target: string): Promise<string> {
  return new Promise((resolve) => {
    const stream = pipe.open(target, {
      onAccept() {
        resolve("accepted");
        stream.destroy();
      },
    });
    stream.on("error", (error) => resolve(error.message));
    stream.resume();
  });
}
