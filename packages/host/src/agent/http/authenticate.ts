/** Who calls, by the door they came through. */
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { DonjonError } from "@donjon/core/errors";
import type { NetworkRules } from "@donjon/protocol/agent/keep-record";
import { type Caller, type CallerLimits, NO_CALLER_LIMITS } from "../caller.ts";
import type { CallerStore } from "../state/caller-store.ts";

/** `unix`: only this user can open it (mode 0600). */
export type Door = "unix" | "http" | "https";

export interface AuthenticateOptions {
  readonly callers: CallerStore;
  /** Whether client certificates are asked for. */
  readonly certificates: boolean;
  /** Of callers with certificates. */
  readonly certificateLimits: CallerLimits;
  readonly certificateNetwork: NetworkRules;
}

const BEARER = /^Bearer +([A-Za-z0-9_-]{1,128})$/i;

/** Throws `agent/unauthorized`. */
export function authenticate(
  { callers, certificates, certificateLimits, certificateNetwork }: AuthenticateOptions,
  door: Door,
  socket: Socket,
  authorization: string | undefined,
): Caller {
  if (authorization !== undefined) {
    const token = BEARER.exec(authorization)?.[1];
    const caller = token === undefined ? null : callers.find(token);
    if (caller !== null) return caller;
    throw new DonjonError(
      "agent/unauthorized",
      "the token is not one of this agent's; an operator makes one: donjon agent token add NAME",
    );
  }
  if (door === "unix")
    return {
      name: `user:${process.getuid?.() ?? 0}`,
      role: "operator",
      limits: NO_CALLER_LIMITS,
      network: null,
    };
  const subject = door === "https" && certificates ? readSubject(socket as TLSSocket) : null;
  if (subject !== null)
    return {
      name: `certificate:${subject}`,
      role: "user",
      limits: certificateLimits,
      network: certificateNetwork,
    };
  throw new DonjonError(
    "agent/unauthorized",
    `this agent wants to know who calls; give a token${certificates ? " or a client certificate" : ""}`,
  );
}

/** The subject of a certificate that the client authority signed; `null`: none was given. Throws `agent/unauthorized`. */
function readSubject(socket: TLSSocket): string | null {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return null;
  if (!socket.authorized) {
    const why = String(socket.authorizationError ?? "it is not signed by the client authority");
    throw new DonjonError("agent/unauthorized", `the client certificate is refused: ${why}`);
  }
  // One attribute a line, each with its special characters escaped.
  return certificate.subject.split("\n").join(",");
}
