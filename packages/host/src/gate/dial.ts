/** The pipe `out`: the Keep calls the host (protocol README, gate). Everything is refused that was not allowed. */
import { connect, type LookupFunction } from "node:net";
import { Duplex } from "node:stream";
import { DonjonError } from "@donjon/core/errors";
import {
  type Authority,
  CONSOLE_TARGET,
  encodeAuthority,
  parseAuthority,
} from "@donjon/protocol/gate/gate";
import { MUX_REFUSAL, type MuxRefusal } from "@donjon/protocol/gate/mux";
import { type GateCall, openGatePipe } from "@donjon/protocol/gate/pipe";
import { MAX_CONSOLE_LINE } from "@donjon/protocol/limits";
import { cleanLine } from "../backend/lines.ts";
import type { NetworkGuard } from "../network/guard.ts";
import { createEvidenceDesk, type EvidenceSource, isEvidenceCall } from "./evidence.ts";
import { splice } from "./splice.ts";

export interface KeepCalls {
  /** Whether the Keep may connect to this `host:port`. */
  isAllowed(authority: string): boolean;
  /** Of the caller whose Keep it is; `null`: any address may be connected to. */
  guard(): NetworkGuard | null;
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
  const fail = (error: Error) => call.refuse(refusalOf(error), error.message);
  let lookup: LookupFunction | undefined;
  try {
    lookup = admit(target, calls.guard());
  } catch (error) {
    fail(error as Error);
    return;
  }
  const guarded = lookup === undefined ? {} : { lookup };
  const socket = connect({ ...target, ...guarded, allowHalfOpen: true, noDelay: true });
  socket.once("error", fail);
  socket.once("connect", () => {
    socket.off("error", fail);
    const stream = call.accept();
    // The Keep has taken its call back.
    if (stream.destroyed) socket.destroy();
    else calls.onConnection(splice(stream, socket));
  });
}

/** What finds the addresses that may be connected to; nothing when all may. Throws when the address may not. */
function admit(target: Authority, guard: NetworkGuard | null): LookupFunction | undefined {
  guard?.checkConnection(target);
  return guard?.createLookup(target);
}

function refusalOf(error: Error): MuxRefusal {
  return error instanceof DonjonError ? MUX_REFUSAL.refused : MUX_REFUSAL.unreachable;
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
