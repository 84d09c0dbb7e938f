/** The gate's names and numbers (README, gate). What each side does with them lies in `keep` and `host`. */
import { DonjonError } from "@donjon/core/errors";
import { GATE_SESSION_WINDOW, GATE_STREAM_WINDOW, MAX_LISTENER_NAME } from "../limits.ts";
import { MUX_PROTOCOL } from "./mux.ts";

export const KEEP_STATES = ["new", "provisioned", "running", "exited"] as const;
export type KeepState = (typeof KEEP_STATES)[number];

export type KeepCall =
  | { readonly kind: "session" | "bare-session" }
  | { readonly kind: "health" }
  | { readonly kind: "listen"; readonly name: string };

/** Targets on the pipe `in`. */
/** TLS 1.3 that ends inside the Keep. */
export const SESSION_TARGET = "session";
/** A session that the host reads along. */
export const BARE_SESSION_TARGET = "bare-session";
export const HEALTH_TARGET = "health";
const LISTEN_PREFIX = "listen:";
/** Target on the pipe `out` for a line of the runtime. */
export const CONSOLE_TARGET = "console";
/** Target on the pipe `out` for the simulated security processor; every other target there is an authority. */
export const EVIDENCE_TARGET = "evidence";

export function encodeListenTarget(name: string): string {
  return LISTEN_PREFIX + name;
}

/** Octets that may wait unread on a stream of the pipe `in`. */
export function windowOfCall(target: string): number {
  return target === SESSION_TARGET || target === BARE_SESSION_TARGET
    ? GATE_SESSION_WINDOW
    : GATE_STREAM_WINDOW;
}

/** What a stream on the pipe `in` is for. Throws `gate/protocol`. */
export function parseKeepCall(target: string): KeepCall {
  if (target === SESSION_TARGET) return { kind: "session" };
  if (target === BARE_SESSION_TARGET) return { kind: "bare-session" };
  if (target === HEALTH_TARGET) return { kind: "health" };
  const name = target.startsWith(LISTEN_PREFIX) ? target.slice(LISTEN_PREFIX.length) : "";
  if (name.length > 0 && name.length <= MAX_LISTENER_NAME) return { kind: "listen", name };
  throw new DonjonError(
    "gate/protocol",
    `the gate was asked for ${quote(target)}, wanted "session", "listen:<name>" or "health"`,
  );
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

/** `host:port` of a stream on the pipe `out`. Throws `gate/protocol`. */
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

export function encodeHealth(state: KeepState): string {
  return JSON.stringify({ protocol: MUX_PROTOCOL, state });
}

/** Throws `gate/protocol` for anything but what `encodeHealth` made. */
export function parseHealth(body: string): {
  readonly protocol: number;
  readonly state: KeepState;
} {
  try {
    const { protocol, state } = JSON.parse(body) as Record<string, unknown>;
    const known = KEEP_STATES.find((each) => each === state);
    if (protocol === MUX_PROTOCOL && known !== undefined) return { protocol, state: known };
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
