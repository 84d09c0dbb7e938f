/** The host's side of the gate (protocol README, gate): calls the Keep, answers its calls. */
import { Duplex } from "node:stream";
import { DonjonError } from "@donjon/core/errors";
import {
  BARE_SESSION_TARGET,
  encodeAuthority,
  encodeLaneTarget,
  encodeListenTarget,
  HEALTH_TARGET,
  IMAGE_TARGET,
  type KeepState,
  parseAuthority,
  parseHealth,
  parseImageAnswer,
  SESSION_TARGET,
  windowOfCall,
} from "@donjon/protocol/gate/gate";
import { type GatePipe, openGatePipe } from "@donjon/protocol/gate/pipe";
import {
  DRAIN_MS,
  MAX_CONSOLE_LINES,
  MAX_GATE_STREAMS,
  RESERVED_GATE_STREAMS,
} from "@donjon/protocol/limits";
import type { Lane, StartedKeep } from "../backend/backend.ts";
import type { NetworkGuard } from "../network/guard.ts";
import { answerKeep } from "./dial.ts";
import type { EvidenceSource } from "./evidence.ts";
import { listenForKeep } from "./listen.ts";

export interface GateOptions {
  /** Lines of the Keep's own runtime. */
  readonly onConsole: (line: string) => void;
  /** Answers a Keep that nothing protects and that asks for evidence; without it such a call is refused. */
  readonly evidence?: EvidenceSource | null;
}

export interface ListenAddress {
  /** The listener's name in the manifest. */
  readonly name: string;
  /** Address to bind, for example `127.0.0.1` or `::`. */
  readonly address: string;
  /** 0: any free port. */
  readonly port: number;
}

export interface BoundListener {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  close(): void;
}

export interface KeepHealth {
  readonly protocol: number;
  readonly state: KeepState;
}

export interface Gate {
  /** A stream for an attested session. Several may be open at once. */
  openSession(): Duplex;
  /** A stream for `openSession` of `@donjon/client/session`: no evidence, no secrecy. */
  openBareSession(): Duplex;
  /**
   * The only connections the Keep may ask for, as `host:port` (IPv6: `[::1]:80`). Nothing is allowed before
   * this is called. Call it before `provision`: the Keep connects before the workload starts. `guard`: the rules of
   * whose Keep it is, which every address must pass besides; without it any may be connected to.
   */
  allowConnections(authorities: readonly string[], guard?: NetworkGuard | null): void;
  /**
   * Binds a TCP port and hands each connection to the Keep. May be called before `provision`: the
   * Keep holds early connections until it knows its manifest. Rejects with `gate/refused` when the
   * port cannot be bound.
   */
  listen(listen: ListenAddress): Promise<BoundListener>;
  health(): Promise<KeepHealth>;
  /** The image digest that the Keep says, over the files that it sees; lower-case hex. Rejects with `gate/refused`. */
  imageDigest(): Promise<string>;
  /**
   * Closes listeners and pipes; the Keep ends. Resolves when what connections still carry has been
   * passed on, at most after `DRAIN_MS`. To be awaited before the process exits if there were any.
   */
  close(): Promise<void>;
}

/** Speaks the gate's protocol on the pipes of a started Keep. */
export function openGate(keep: StartedKeep, options: GateOptions): Gate {
  let { lane } = keep;
  const closeLane = (): void => {
    lane?.stream.destroy();
    lane = null;
  };
  const pipe = openGatePipe(keep.in, { role: "caller", Duplex, onClosed: closeLane });
  const callSession = (target: string): Duplex => {
    if (lane === null || pipe.closed) return callKeep(pipe, target);
    const stream = callOnLane(pipe, target, lane);
    lane = null;
    return stream;
  };
  let allowed: ReadonlySet<string> = new Set();
  let guard: NetworkGuard | null = null;
  let lines = 0;
  const connections = new Set<Promise<void>>();
  const listeners = new Set<BoundListener>();
  const track = (closed: Promise<void>) => {
    connections.add(closed);
    closed.then(() => connections.delete(closed));
  };
  answerKeep(keep.out, {
    isAllowed: (authority) => allowed.has(authority),
    guard: () => guard,
    onConsole: (line) => {
      lines += 1;
      if (lines <= MAX_CONSOLE_LINES) options.onConsole(line);
    },
    onConnection: track,
    evidence: options.evidence ?? null,
  });

  return {
    openSession: () => callSession(SESSION_TARGET),
    openBareSession: () => callSession(BARE_SESSION_TARGET),
    allowConnections: (authorities, rules = null) => {
      guard = rules;
      allowed = new Set(authorities.map((each) => encodeAuthority(parseAuthority(each))));
    },
    async listen(listen) {
      const open = () => {
        if (pipe.size >= MAX_GATE_STREAMS - RESERVED_GATE_STREAMS) throw fullError();
        return callKeep(pipe, encodeListenTarget(listen.name));
      };
      const bound = await listenForKeep(listen, open, track);
      listeners.add(bound);
      return bound;
    },
    health: async () => parseHealth(await ask(pipe, HEALTH_TARGET)),
    imageDigest: async () => parseImageAnswer(await ask(pipe, IMAGE_TARGET)),
    async close() {
      for (const listener of listeners) listener.close();
      if (connections.size > 0) await settleWithin(Promise.all(connections), DRAIN_MS);
      pipe.close();
      keep.out.destroy();
    },
  };
}

/** A refusal is the error of the stream. */
function callKeep(pipe: GatePipe<Duplex>, target: string): Duplex {
  if (pipe.closed) throw lostError();
  return pipe.open(target, { window: windowOfCall(target) });
}

/** The first session of a Keep goes past the frames: it is mostly the only one, and the one with the most octets. */
function callOnLane(pipe: GatePipe<Duplex>, target: string, { stream, release }: Lane): Duplex {
  let accepted = false;
  const call = pipe.open(encodeLaneTarget(target), {
    onAccept() {
      accepted = true;
      release();
    },
  });
  // What the Keep sent before it closed the lane can still be read.
  const closeWhenRead = (): void => {
    if (stream.readableEnded) stream.destroy();
    else stream.once("end", () => stream.destroy());
  };
  call.on("error", (error) => (accepted ? closeWhenRead() : stream.destroy(error)));
  call.on("end", closeWhenRead);
  stream.once("close", () => call.end());
  call.resume();
  return stream;
}

/** A question of one word, and its short answer. */
async function ask(pipe: GatePipe<Duplex>, target: string): Promise<string> {
  const stream = callKeep(pipe, target);
  stream.end();
  let body = "";
  stream.setEncoding("utf8");
  for await (const chunk of stream) {
    body += chunk;
    if (body.length > MAX_ANSWER) break;
  }
  return body;
}

/** Characters of an answer. */
const MAX_ANSWER = 1024;

function fullError(): DonjonError {
  return new DonjonError("gate/limit", "the Keep has as many connections as it may have");
}

function lostError(): DonjonError {
  return new DonjonError("keep/lost", "the Keep has ended; start another one");
}

function settleWithin(work: Promise<unknown>, ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  work.then(() => {
    clearTimeout(timer);
    resolve();
  });
  return promise;
}
