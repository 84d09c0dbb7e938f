/** The doors of an agent: a unix socket, TCP with TLS, or plain TCP on loopback. */
import { chmodSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerOptions } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { dirname } from "node:path";
import { DonjonError } from "@donjon/core/errors";
import { type AgentAddress, formatAgentAddress } from "@donjon/protocol/agent/address";
import { getRequestListener } from "@hono/node-server";
import { makeDirectory } from "../../files/make-directory.ts";
import { explainListenError } from "../../network/listen-error.ts";
import { SOCKET_WINDOW } from "../../warden/control.ts";
import type { Door } from "./authenticate.ts";
import type { AgentContext } from "./context.ts";
import type { AgentBindings } from "./routes.ts";
import { createRoutes } from "./routes.ts";
import { clearSocket } from "./stale-socket.ts";
import { wantsSession } from "./tunnels.ts";

export interface TlsFiles {
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
  /** PEM of the authority whose client certificates are accepted; `null`: none are asked for. */
  readonly clientCa: string | null;
}

export interface AgentServer {
  /** As a client would give it. */
  readonly address: string;
  /** Takes no more connections; resolves when answers that are under way have gone. */
  close(): Promise<void>;
}

/** A request's head, and all of it, must come in this time. */
export interface RequestTimes {
  readonly headersMs: number;
  readonly requestMs: number;
}

export const REQUEST_TIMES: RequestTimes = { headersMs: 10_000, requestMs: 30_000 };
const HANDSHAKE_MS = 10_000;
const KEEP_ALIVE_MS = 5_000;
const MAX_HEADER_BYTES = 16 << 10;
const MAX_CONNECTIONS = 8192;

function createOptions({ headersMs, requestMs }: RequestTimes) {
  return {
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: Math.min(1_000, headersMs),
    maxHeaderSize: MAX_HEADER_BYTES,
    shouldUpgradeCallback: wantsSession,
    noDelay: true,
    highWaterMark: SOCKET_WINDOW,
  };
}

/** Rejects with `usage` for plain TCP beyond loopback, `agent/conflict` for an address in use, `files/read` for bad TLS. */
export async function openServer(
  address: AgentAddress,
  agent: AgentContext,
  { tls, times }: { readonly tls: TlsFiles | null; readonly times: RequestTimes },
): Promise<AgentServer> {
  const door: Door = address.kind === "unix" ? "unix" : address.tls ? "https" : "http";
  if (door === "http") refusePlain(address);
  const options = createOptions(times);
  const server = door === "https" ? createSecure(address, tls, options) : createServer(options);
  const routes = createRoutes(agent);
  const listener = getRequestListener(
    (request, env) => routes.fetch(request, { ...(env as AgentBindings), door }),
    { overrideGlobalObjects: false },
  );
  server.on("request", listener);
  server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Uint8Array) => {
    agent.tunnels.answer(agent, door, request, socket, head).catch(() => socket.destroy());
  });
  server.maxConnections = MAX_CONNECTIONS;
  const bound =
    address.kind === "unix"
      ? await listenUnix(server, address.path)
      : await listenTcp(server, address);
  return {
    address: bound,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
}

/** Tokens in the clear are for this machine only. */
function refusePlain(address: AgentAddress): void {
  if (address.kind !== "tcp" || /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/.test(address.host))
    return;
  throw new DonjonError(
    "usage",
    `${formatAgentAddress(address)} would carry tokens in the clear; use https:// with --tls-cert and --tls-key`,
  );
}

function createSecure(address: AgentAddress, tls: TlsFiles | null, options: ServerOptions): Server {
  if (tls === null) {
    const message = `${formatAgentAddress(address)} needs a certificate: --tls-cert and --tls-key`;
    throw new DonjonError("usage", message);
  }
  const { certificate, key, clientCa } = tls;
  try {
    return createTlsServer({
      ...options,
      cert: certificate,
      key,
      minVersion: "TLSv1.2",
      handshakeTimeout: HANDSHAKE_MS,
      // Whoever has none may still have a token; `authenticate` looks at both.
      ...(clientCa === null ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: false }),
    });
  } catch (cause) {
    const message = `the agent's certificate or key cannot be used: ${(cause as Error).message}`;
    throw new DonjonError("files/read", message, { cause });
  }
}

async function listenUnix(server: Server, path: string): Promise<string> {
  makeDirectory(dirname(path));
  await clearSocket(path);
  // Nobody but this user, from its first moment.
  const mask = process.umask(0o177);
  try {
    await listen(server, { path }, `unix:${path}`);
  } finally {
    process.umask(mask);
  }
  chmodSync(path, 0o600);
  return `unix:${path}`;
}

async function listenTcp(server: Server, address: AgentAddress & { kind: "tcp" }): Promise<string> {
  await listen(server, { host: address.host, port: address.port }, formatAgentAddress(address));
  const { port } = server.address() as AddressInfo;
  return formatAgentAddress({ ...address, port });
}

function listen(server: Server, where: object, shown: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      // A socket's path has reasons of its own, and the message holds it.
      const why = "path" in where ? cause.message : explainListenError(cause);
      const message = `the agent cannot listen on ${shown}: ${why}`;
      reject(new DonjonError("agent/conflict", message, { cause }));
    });
    server.listen({ ...where, backlog: 1024 }, () => resolve());
  });
}
