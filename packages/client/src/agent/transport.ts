/** HTTP to an agent, bounded in size and time. */
import { type IncomingMessage, request as requestHttp } from "node:http";
import type { RequestOptions } from "node:https";
import type { Duplex } from "node:stream";
import { DonjonError } from "@donjon/core/errors";
import { parseAgentAddress } from "@donjon/protocol/agent/address";
import { MAX_ANSWER_BYTES } from "@donjon/protocol/agent/limits";
import { parseProblem, SESSION_UPGRADE } from "@donjon/protocol/agent/problem";
import type { AgentOptions } from "./client.ts";

/** Octets that a session's socket buffers before its writer is slowed: with fewer, each piece waits for the last. */
const SOCKET_WINDOW = 1 << 20;

export interface AgentCall {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
  readonly timeoutMs: number;
}

export interface Transport {
  /** The body of an answer 2xx, as text. */
  call(call: AgentCall): Promise<string>;
  /** A stream of raw bytes, once the agent has switched to it. */
  upgrade(call: AgentCall): Promise<Duplex>;
}

/** @throws DonjonError `usage` */
export function createTransport(address: string, { token, tls }: AgentOptions): Transport {
  const target = parseAgentAddress(address);
  const secure = target.kind === "tcp" && target.tls;
  const fixed: RequestOptions & { readonly highWaterMark: number } = {
    ...(target.kind === "unix"
      ? { socketPath: target.path }
      : { host: target.host, port: target.port }),
    // Without a name for TLS, the engine would look whether the host is an IP address, which takes it 5 ms the first time.
    ...(secure ? { ca: tls?.ca, cert: tls?.certificate, key: tls?.key } : { servername: "" }),
    // A connection for each call: there are few, and none is found dead when it is used again.
    agent: false,
    maxHeaderSize: 16 << 10,
    // Node hands it to the socket.
    highWaterMark: SOCKET_WINDOW,
  };
  const common = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const send = async (
    call: AgentCall,
    headers: Record<string, string>,
    end: Ending,
  ): Promise<void> => {
    // Loaded when it is needed: TLS takes a while.
    const request = secure ? (await import("node:https")).request : requestHttp;
    const body = call.body === undefined ? null : JSON.stringify(call.body);
    const sent = request({
      ...fixed,
      method: call.method,
      path: call.path,
      headers: {
        ...common,
        ...headers,
        ...(body === null ? {} : { "content-type": "application/json" }),
      },
    });
    const timer = setTimeout(
      () =>
        sent.destroy(
          new DonjonError("agent/unreachable", `the agent did not answer in ${call.timeoutMs} ms`),
        ),
      call.timeoutMs,
    );
    sent.on("close", () => clearTimeout(timer));
    sent.on("error", (error) => end.fail(asUnreachable(address, error)));
    sent.on("response", (answer) => readAnswer(answer, end));
    sent.on("upgrade", (_answer, socket: Duplex, head: Uint8Array) => {
      clearTimeout(timer);
      if (head.length > 0) socket.unshift(head);
      if (end.switched === undefined) {
        socket.destroy();
        end.fail(new DonjonError("agent/protocol", "the agent switched to what nobody asked for"));
      } else end.switched(socket);
    });
    sent.end(body ?? undefined);
  };
  return {
    call: (call) =>
      new Promise((done, fail) => {
        send(call, {}, { done, fail }).catch(fail);
      }),
    upgrade: (call) =>
      new Promise((switched, fail) => {
        const done = () =>
          fail(new DonjonError("agent/protocol", "the agent did not switch to a session"));
        const headers = { connection: "Upgrade", upgrade: SESSION_UPGRADE };
        send(call, headers, { done, fail, switched }).catch(fail);
      }),
  };
}

interface Ending {
  done(body: string): void;
  fail(error: Error): void;
  switched?(stream: Duplex): void;
}

function readAnswer(answer: IncomingMessage, { done, fail }: Ending): void {
  const status = answer.statusCode ?? 0;
  let body = "";
  let size = 0;
  const decoder = new TextDecoder();
  answer.on("data", (chunk: Uint8Array) => {
    size += chunk.length;
    if (size <= MAX_ANSWER_BYTES) body += decoder.decode(chunk, { stream: true });
    else
      answer.destroy(
        new DonjonError("agent/protocol", `the agent's answer has over ${MAX_ANSWER_BYTES} bytes`),
      );
  });
  answer.on("error", (error) => fail(asCut(error)));
  answer.on("end", () => {
    if (status >= 200 && status < 300) done(body);
    else fail(parseProblem(status, body));
  });
}

function asCut(error: Error): DonjonError {
  if (error instanceof DonjonError) return error;
  return new DonjonError(
    "agent/unreachable",
    `the agent's answer was cut off: ${error.message}; look whether it still runs`,
    { cause: error },
  );
}

const NOBODY = "no agent runs there; start one with 'donjon agent', or give the address of another";
const UNKNOWN_AUTHORITY =
  "nobody here vouches for its certificate; name the authority that does: --agent-ca FILE";

/** What the errors of a socket mean here, and what to do. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: NOBODY,
  ECONNREFUSED: NOBODY,
  EHOSTUNREACH: NOBODY,
  ENOTFOUND: "no host has this name",
  EACCES: "this user may not open its socket; only its owner may, others need a token and https://",
  EPROTO: "what listens there does not speak TLS",
  ECONNRESET: "it closed the connection; where an agent has a certificate, its address is https://",
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another name; give the one that it is for",
};

function asUnreachable(address: string, error: Error): DonjonError {
  if (error instanceof DonjonError) return error;
  const { code } = error as NodeJS.ErrnoException;
  const why = REASONS[code ?? ""] ?? `${error.message}; look whether it is the address of an agent`;
  return new DonjonError("agent/unreachable", `the agent at ${address} cannot be reached: ${why}`, {
    cause: error,
  });
}
