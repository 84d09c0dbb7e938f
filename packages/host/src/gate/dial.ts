/** The pipe `out`: the Keep calls the host (protocol README, gate). Everything is refused that was not allowed. */
import { connect, type LookupFunction, type Socket } from "node:net";
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

/**
 * Connections of one Keep that are being made, and look-ups of names for them, at once. A Keep that takes its calls back in a loop
 * opens no more streams than it may, and without this would leave a look-up behind for each.
 */
export const MAX_PENDING_DIALS = 1024;

/** How many there are now. */
interface PendingDials {
  count: number;
}

/** Serves the Keep's calls on `pipe`; a Keep that breaks the protocol loses the pipe. */
export function answerKeep(pipe: Duplex, calls: KeepCalls): void {
  const answerEvidence = createEvidenceDesk(calls.evidence);
  const pending: PendingDials = { count: 0 };
  openGatePipe(pipe, {
    role: "callee",
    Duplex,
    onCall: (call) => {
      if (call.target === CONSOLE_TARGET) readConsole(call.accept(), calls);
      else if (isEvidenceCall(call)) answerEvidence(call);
      else dial(call, calls, pending);
    },
  });
}

function dial(call: GateCall<Duplex>, calls: KeepCalls, pending: PendingDials): void {
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
  if (pending.count >= MAX_PENDING_DIALS) {
    call.refuse(MUX_REFUSAL.busy, `${MAX_PENDING_DIALS} connections are being made already`);
    return;
  }
  const fail = (error: Error) => call.refuse(refusalOf(error), error.message);
  let admitted: LookupFunction;
  try {
    admitted = admit(target, calls.guard());
  } catch (error) {
    fail(error as Error);
    return;
  }
  const lookup = countLookups(admitted, pending);
  const socket = connect({ ...target, lookup, allowHalfOpen: true, noDelay: true });
  countUntilConnected(socket, pending);
  call.onTakenBack(() => socket.destroy());
  socket.once("error", fail);
  socket.once("connect", () => {
    socket.off("error", fail);
    const stream = call.accept();
    // The Keep has taken its call back.
    if (stream.destroyed) socket.destroy();
    else calls.onConnection(splice(stream, socket));
  });
}

/** What finds the addresses that may be connected to. Throws when the address may not. */
function admit(target: Authority, guard: NetworkGuard | null): LookupFunction {
  guard?.checkConnection(target);
  return guard?.createLookup(target) ?? lookUpAny;
}

/** The module is loaded when the first name is looked up: most runs look up none. */
const lookUpAny: LookupFunction = (name, options, done) =>
  process.getBuiltinModule("node:dns").lookup(name, options, done);

/** A look-up goes on when its socket is destroyed. */
function countLookups(lookup: LookupFunction, pending: PendingDials): LookupFunction {
  return (name, options, done) => {
    pending.count += 1;
    lookup(name, options, (...answer) => {
      pending.count -= 1;
      done(...answer);
    });
  };
}

function countUntilConnected(socket: Socket, pending: PendingDials): void {
  let counted = true;
  pending.count += 1;
  const release = (): void => {
    if (counted) pending.count -= 1;
    counted = false;
  };
  socket.once("connect", release).once("close", release);
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
