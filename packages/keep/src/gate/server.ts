/** The pipe `in`: the host calls the Keep (protocol README, gate). */
import { Duplex } from "node:stream";
import {
  encodeHealth,
  type KeepState,
  parseKeepCall,
  windowOfCall,
} from "@donjon/protocol/gate/gate";
import { MUX_REFUSAL, type MuxRefusal } from "@donjon/protocol/gate/mux";
import { type GateCall, openGatePipe } from "@donjon/protocol/gate/pipe";

export interface GateHandlers {
  state(): KeepState;
  onSession(stream: Duplex): void;
  onBareSession(stream: Duplex): void;
  /** `accept` takes the connection; `refuse` says why not. Exactly one is called, once, maybe later. */
  onConnection(
    name: string,
    accept: () => Duplex,
    refuse: (refusal: MuxRefusal, reason: string) => void,
  ): void;
  /** The host has gone, or broke the protocol: nobody will ever call again. */
  onClosed(): void;
}

export function serveGate(pipe: Duplex, handlers: GateHandlers): void {
  openGatePipe(pipe, {
    role: "callee",
    Duplex,
    windowOf: windowOfCall,
    onCall: (call) => answer(call, handlers),
    onClosed: () => handlers.onClosed(),
  });
}

function answer(call: GateCall<Duplex>, handlers: GateHandlers): void {
  let wanted: ReturnType<typeof parseKeepCall>;
  try {
    wanted = parseKeepCall(call.target);
  } catch (error) {
    call.refuse(MUX_REFUSAL.unknown, (error as Error).message);
    return;
  }
  if (wanted.kind === "listen") {
    handlers.onConnection(
      wanted.name,
      () => acceptQuietly(call),
      (refusal, reason) => call.refuse(refusal, reason),
    );
  } else if (wanted.kind === "session") handlers.onSession(acceptQuietly(call));
  else if (wanted.kind === "bare-session") handlers.onBareSession(acceptQuietly(call));
  else acceptQuietly(call).resume().end(encodeHealth(handlers.state()));
}

/** Whatever breaks one stream is the end of that stream only. */
function acceptQuietly(call: GateCall<Duplex>): Duplex {
  return call.accept().on("error", () => {});
}
