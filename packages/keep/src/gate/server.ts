/** The pipe `in`: the host calls the Keep (protocol README, gate). */
import { Duplex } from "node:stream";
import {
  encodeHealth,
  encodeImageAnswer,
  type KeepState,
  parseKeepCall,
  windowOfCall,
} from "@donjon/protocol/gate/gate";
import { MUX_REFUSAL, type MuxRefusal } from "@donjon/protocol/gate/mux";
import { type GateCall, openGatePipe } from "@donjon/protocol/gate/pipe";

/** One of the two is to be called, once. */
export interface SessionCall {
  accept(): Duplex;
  refuse(refusal: MuxRefusal, reason: string): void;
}

export interface GateHandlers {
  /** Opens the lane, which is done once; `null`: there is none. */
  readonly openLane: (() => Duplex) | null;
  state(): KeepState;
  /** `bare`: without TLS and evidence. */
  onSession(call: SessionCall, bare: boolean): void;
  /** The image digest. */
  onImage(): Promise<string>;
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
  let lane = handlers.openLane;
  const takeLane: TakeLane = () => {
    const taken = lane;
    lane = null;
    return taken;
  };
  openGatePipe(pipe, {
    role: "callee",
    Duplex,
    windowOf: windowOfCall,
    onCall: (call) => answer(call, handlers, takeLane),
    onClosed: () => handlers.onClosed(),
  });
}

/** What opens the lane, for the one who takes it; `null`: there is none, or somebody has it. */
type TakeLane = () => (() => Duplex) | null;

function answer(call: GateCall<Duplex>, handlers: GateHandlers, takeLane: TakeLane): void {
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
  } else if (wanted.kind === "health") {
    acceptQuietly(call).resume().end(encodeHealth(handlers.state()));
  } else if (wanted.kind === "image") {
    handlers.onImage().then(
      (digest) => acceptQuietly(call).resume().end(encodeImageAnswer(digest)),
      (error: Error) => call.refuse(MUX_REFUSAL.refused, error.message),
    );
  } else {
    const openLane = wanted.lane ? takeLane() : null;
    if (wanted.lane && openLane === null) {
      call.refuse(MUX_REFUSAL.busy, "this Keep has no lane, or it was used already");
      return;
    }
    const accept = () => (openLane === null ? acceptQuietly(call) : acceptOnLane(call, openLane));
    const refuse = (refusal: MuxRefusal, reason: string) => call.refuse(refusal, reason);
    handlers.onSession({ accept, refuse }, wanted.kind === "bare-session");
  }
}

/** The call's own stream ends when the lane is closed, which its other end might not see: it may hold its own direction open. */
function acceptOnLane(call: GateCall<Duplex>, openLane: () => Duplex): Duplex {
  const control = acceptQuietly(call).resume();
  return openLane()
    .on("error", () => {})
    .once("close", () => control.end());
}

/** Whatever breaks one stream is the end of that stream only. */
function acceptQuietly(call: GateCall<Duplex>): Duplex {
  return call.accept().on("error", () => {});
}
