/** The pipe `in`: the host calls the Keep (protocol README, gate). */
import {
  type Http2Session,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { Duplex } from "node:stream";
import {
  checkGateProtocol,
  GATE_CONNECTION_WINDOW,
  GATE_HEADER,
  GATE_PROTOCOL,
  GATE_SETTINGS,
  GATE_STATUS,
  type KeepCall,
  type KeepState,
  parseKeepCall,
} from "@donjon/protocol/gate/gate";

export interface GateHandlers {
  state(): KeepState;
  onSession(stream: Duplex): void;
  /** `accept` takes the connection; `refuse` answers with the status. Exactly one is called, once, maybe later. */
  onConnection(name: string, accept: () => Duplex, refuse: (status: number) => void): void;
  /** The host has gone: nobody will ever call again. */
  onClosed(): void;
}

/** nghttp2's own ceilings, far below what would hurt: a host that floods loses the pipe. */
const FLOOD_LIMITS = {
  maxSessionInvalidFrames: 16,
  maxSessionRejectedStreams: 64,
  maxSettings: 16,
};

export function serveGate(pipe: Duplex, handlers: GateHandlers): Http2Session {
  const session: ServerHttp2Session = performServerHandshake(pipe, {
    ...FLOOD_LIMITS,
    settings: GATE_SETTINGS,
  });
  session.setLocalWindowSize(GATE_CONNECTION_WINDOW);
  session.on("stream", (stream, headers) => {
    // Whatever breaks one stream is the end of that stream only.
    stream.on("error", () => {});
    answer(stream, headers, handlers);
  });
  session.on("error", () => session.destroy());
  session.on("close", handlers.onClosed);
  pipe.on("end", handlers.onClosed);
  pipe.on("close", handlers.onClosed);
  return session;
}

type Headers = Readonly<Record<string, string | string[] | undefined>>;

function answer(stream: ServerHttp2Stream, headers: Headers, handlers: GateHandlers): void {
  try {
    checkGateProtocol(headers[GATE_HEADER]);
  } catch {
    refuse(stream, GATE_STATUS.otherProtocol);
    return;
  }
  const method = headers[":method"];
  if (method === "CONNECT") answerConnect(stream, String(headers[":authority"]), handlers);
  else if (method === "GET" && headers[":path"] === "/health") answerHealth(stream, handlers);
  else refuse(stream, GATE_STATUS.notFound);
}

function answerConnect(stream: ServerHttp2Stream, authority: string, handlers: GateHandlers): void {
  let call: KeepCall;
  try {
    call = parseKeepCall(authority);
  } catch {
    refuse(stream, GATE_STATUS.badRequest);
    return;
  }
  const accept = () => acceptStream(stream);
  if (call.kind === "session") handlers.onSession(accept());
  else handlers.onConnection(call.name, accept, (status) => refuse(stream, status));
}

function acceptStream(stream: ServerHttp2Stream): Duplex {
  if (!stream.destroyed) {
    stream.respond({ ":status": GATE_STATUS.ok, [GATE_HEADER]: String(GATE_PROTOCOL) });
  }
  return stream;
}

function refuse(stream: ServerHttp2Stream, status: number): void {
  if (stream.destroyed || stream.headersSent) return;
  const headers = { ":status": status, [GATE_HEADER]: String(GATE_PROTOCOL) };
  stream.respond(headers, { endStream: true });
  // Not closed here: a reset could overtake the answer. What still comes is dropped.
  stream.resume();
}

function answerHealth(stream: ServerHttp2Stream, handlers: GateHandlers): void {
  acceptStream(stream);
  stream.end(JSON.stringify({ protocol: GATE_PROTOCOL, state: handlers.state() }));
}
