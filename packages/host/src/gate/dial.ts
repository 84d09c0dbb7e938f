/** The pipe `out`: the Keep calls the host (protocol README, gate). Everything is refused that was not allowed. */
import { connect } from "node:net";
import { Duplex } from "node:stream";
import {
  type Authority,
  CONSOLE_TARGET,
  encodeAuthority,
  parseAuthority,
} from "@donjon/protocol/gate/gate";
import { MUX_REFUSAL } from "@donjon/protocol/gate/mux";
import { type GateCall, openGatePipe } from "@donjon/protocol/gate/pipe";
import { MAX_CONSOLE_LINE } from "@donjon/protocol/limits";
import { cleanLine } from "../backend/lines.ts";
import { createEvidenceDesk, type EvidenceSource, isEvidenceCall } from "./evidence.ts";
import { splice } from "./splice.ts";

export interface KeepCalls {
  /** Whether the Keep may connect to this `host:port`. */
  isAllowed(authority: string): boolean;
  onConsole(line: string): void;
  /** Simulated evidence; `null`: there is none. */
  readonly evidence: EvidenceSource | null;
  /** A connection was made; resolves when it is closed. */
  onConnection(closed: Promise<void>): void;
}

/** Serves the Keep's calls on `pipe`; a Keep that breaks the protocol loses the pipe. */
export function answerKeep(pipe: Duplex, calls: KeepCalls): void {
  const answerEvidence = createEvidenceDesk(calls.evidence);
  openGatePipe(pipe, {
    role: "callee",
    Duplex,
    onCall: (call) => {
      if (call.target === CONSOLE_TARGET) readConsole(call.accept(), calls);
      else if (isEvidenceCall(call)) answerEvidence(call);
      else dial(call, calls);
    },
  });
}

function dial(call: GateCall<Duplex>, calls: KeepCalls): void {
  let target: Authority;
  try {
    target = parseAuthority(call.target);
  } catch (error) {
    call.refuse(MUX_REFUSAL.unknown, (error as Error).message);
    return;
  }
  const authority = encodeAuthority(target);
  if (!calls.isAllowed(authority)) {
    call.refuse(MUX_REFUSAL.refused, `${authority} is not among the manifest's connections`);
    return;
  }
  const socket = connect({ ...target, allowHalfOpen: true, noDelay: true });
  const fail = (error: Error) => call.refuse(MUX_REFUSAL.unreachable, error.message);
  socket.once("error", fail);
  socket.once("connect", () => {
    socket.off("error", fail);
    calls.onConnection(splice(call.accept(), socket));
  });
}

function readConsole(stream: Duplex, calls: KeepCalls): void {
  const decoder = new TextDecoder();
  let line = "";
  stream.on("error", () => {});
  stream.on("data", (chunk: Uint8Array) => {
    if (line.length < MAX_CONSOLE_LINE) line += decoder.decode(chunk, { stream: true });
  });
  stream.on("end", () => {
    calls.onConsole(cleanLine(line));
    stream.end();
  });
}
