/** The pipe `out`: the Keep calls the host (protocol README, gate). Everything is refused that was not allowed. */
import { performServerHandshake, type ServerHttp2Stream } from "node:http2";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import {
  type Authority,
  checkGateProtocol,
  encodeAuthority,
  GATE_CONNECTION_WINDOW,
  GATE_ERROR_HEADER,
  GATE_HEADER,
  GATE_PROTOCOL,
  GATE_SETTINGS,
  GATE_STATUS,
  parseAuthority,
} from "@donjon/protocol/gate/gate";
import { MAX_CONSOLE_LINE } from "@donjon/protocol/limits";
import { cleanLine } from "../backend/lines.ts";
import { splice } from "./splice.ts";

export interface KeepCalls {
  /** Whether the Keep may connect to this `host:port`. */
  isAllowed(authority: string): boolean;
  onConsole(line: string): void;
  /** A connection was made; resolves when it is closed. */
  onConnection(closed: Promise<void>): void;
}

const VERSION = { [GATE_HEADER]: String(GATE_PROTOCOL) };
const FLOOD_LIMITS = {
  maxSessionInvalidFrames: 16,
  maxSessionRejectedStreams: 64,
  maxSettings: 16,
};

/** Serves the Keep's calls on `pipe`; a Keep that breaks the protocol loses the pipe. */
export function answerKeep(pipe: Duplex, calls: KeepCalls): void {
  const session = performServerHandshake(pipe, { ...FLOOD_LIMITS, settings: GATE_SETTINGS });
  session.setLocalWindowSize(GATE_CONNECTION_WINDOW);
  session.on("error", () => session.destroy());
  session.on("stream", (stream, headers) => {
    stream.on("error", () => {});
    const method = headers[":method"];
    try {
      checkGateProtocol(headers[GATE_HEADER]);
    } catch {
      answer(stream, GATE_STATUS.otherProtocol);
      return;
    }
    if (method === "CONNECT") dial(stream, String(headers[":authority"]), calls);
    else if (method === "POST" && headers[":path"] === "/console") readConsole(stream, calls);
    else answer(stream, GATE_STATUS.notFound);
  });
}

function answer(stream: ServerHttp2Stream, status: number, why?: string): void {
  if (stream.destroyed || stream.headersSent) return;
  const reason = why === undefined ? {} : { [GATE_ERROR_HEADER]: why.replace(/[^ -~]/g, "?") };
  stream.respond({ ":status": status, ...VERSION, ...reason }, { endStream: true });
  // Not closed here: a reset could overtake the answer. What still comes is dropped.
  stream.resume();
}

function dial(stream: ServerHttp2Stream, text: string, calls: KeepCalls): void {
  let target: Authority;
  try {
    target = parseAuthority(text);
  } catch {
    answer(stream, GATE_STATUS.badRequest);
    return;
  }
  const authority = encodeAuthority(target);
  if (!calls.isAllowed(authority)) {
    answer(stream, GATE_STATUS.refused, `${authority} is not among the manifest's connections`);
    return;
  }
  const socket = connect({ ...target, allowHalfOpen: true, noDelay: true });
  const fail = (error: Error) => answer(stream, GATE_STATUS.notReached, error.message);
  socket.once("error", fail);
  stream.once("close", () => socket.destroy());
  socket.once("connect", () => {
    socket.off("error", fail);
    if (stream.destroyed) return;
    stream.respond({ ":status": GATE_STATUS.ok, ...VERSION });
    calls.onConnection(splice(stream, socket));
  });
}

function readConsole(stream: ServerHttp2Stream, calls: KeepCalls): void {
  const decoder = new TextDecoder();
  let line = "";
  stream.on("data", (chunk: Uint8Array) => {
    if (line.length < MAX_CONSOLE_LINE) line += decoder.decode(chunk, { stream: true });
  });
  stream.on("end", () => {
    calls.onConsole(cleanLine(line));
    answer(stream, GATE_STATUS.ok);
  });
}
