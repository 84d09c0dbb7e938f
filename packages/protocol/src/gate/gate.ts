/** The gate's names and numbers (README, gate). What each side does with them lies in `keep` and `host`. */
import { DonjonError } from "@donjon/core/errors";
import {
  GATE_STREAM_WINDOW,
  MAX_GATE_HEADER_BYTES,
  MAX_GATE_STREAMS,
  MAX_LISTENER_NAME,
} from "../limits.ts";

export const GATE_PROTOCOL = 1;
/** Header that carries `GATE_PROTOCOL` on every request and answer. */
export const GATE_HEADER = "donjon-gate";
/** Header that says in a sentence why a connection was not made. */
export const GATE_ERROR_HEADER = "donjon-error";

export const GATE_STATUS = {
  ok: 200,
  badRequest: 400,
  refused: 403,
  notFound: 404,
  notReached: 502,
  busy: 503,
  otherProtocol: 505,
} as const;

/** HTTP/2 settings of both ends (RFC 9113, section 6.5.2). */
export const GATE_SETTINGS = {
  initialWindowSize: GATE_STREAM_WINDOW,
  maxFrameSize: 2 ** 24 - 1,
  maxConcurrentStreams: MAX_GATE_STREAMS,
  maxHeaderListSize: MAX_GATE_HEADER_BYTES,
  enablePush: false,
} as const;
/** Octets that one pipe may carry unread; the largest that HTTP/2 knows. */
export const GATE_CONNECTION_WINDOW = 2 ** 31 - 1;

export const KEEP_STATES = ["new", "provisioned", "running", "exited"] as const;
export type KeepState = (typeof KEEP_STATES)[number];

export type KeepCall =
  | { readonly kind: "session" }
  | { readonly kind: "listen"; readonly name: string };

export const SESSION_AUTHORITY = "session";
const LISTEN_PREFIX = "listen:";

export function encodeListenAuthority(name: string): string {
  return LISTEN_PREFIX + encodeURIComponent(name);
}

/** What a `CONNECT` on the pipe `in` asks for. Throws `gate/protocol`. */
export function parseKeepCall(authority: string): KeepCall {
  if (authority === SESSION_AUTHORITY) return { kind: "session" };
  if (authority.startsWith(LISTEN_PREFIX)) {
    const name = decodeName(authority.slice(LISTEN_PREFIX.length));
    if (name !== null) return { kind: "listen", name };
  }
  throw new DonjonError(
    "gate/protocol",
    `the gate was asked for ${quote(authority)}, wanted "session" or "listen:<name>"`,
  );
}

function decodeName(encoded: string): string | null {
  try {
    const name = decodeURIComponent(encoded);
    return name.length > 0 && name.length <= MAX_LISTENER_NAME ? name : null;
  } catch {
    return null;
  }
}

export interface Authority {
  /** A name or an address; an IPv6 address without its brackets. */
  readonly host: string;
  readonly port: number;
}

export function encodeAuthority(authority: Authority): string {
  const host = authority.host.includes(":") ? `[${authority.host}]` : authority.host;
  return `${host}:${authority.port}`;
}

/** `host:port` of a `CONNECT` on the pipe `out`. Throws `gate/protocol`. */
export function parseAuthority(text: string): Authority {
  const match = /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9._-]{1,253})):([1-9][0-9]{0,4})$/.exec(
    text,
  );
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host !== undefined && port <= 65535) return { host: host.toLowerCase(), port };
  throw new DonjonError(
    "gate/protocol",
    `the gate was asked for ${quote(text)}, wanted "host:port" or "[IPv6]:port"`,
  );
}

/** Throws `gate/protocol` when the other side does not speak `GATE_PROTOCOL`. */
export function checkGateProtocol(header: unknown): void {
  if (header === String(GATE_PROTOCOL)) return;
  const found = typeof header === "string" ? quote(header) : "none";
  throw new DonjonError(
    "gate/protocol",
    `the other side of the gate speaks protocol ${found}, wanted ${GATE_PROTOCOL}; use a Keep and a host of one version`,
  );
}

/** Throws `gate/protocol` for anything but the answer to `GET /health`. */
export function parseHealth(body: string): {
  readonly protocol: number;
  readonly state: KeepState;
} {
  try {
    const { protocol, state } = JSON.parse(body) as Record<string, unknown>;
    const known = KEEP_STATES.find((each) => each === state);
    if (protocol === GATE_PROTOCOL && known !== undefined) return { protocol, state: known };
  } catch {
    // falls through to the one message
  }
  throw new DonjonError(
    "gate/protocol",
    `the Keep's health is ${quote(body)}, which says no state`,
  );
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 64));
}
