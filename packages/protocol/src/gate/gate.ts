/** The gate's names and numbers (README, gate). What each side does with them lies in `keep` and `host`. */
import { DonjonError } from "@donjon/core/errors";
import { GATE_SESSION_WINDOW, GATE_STREAM_WINDOW, MAX_LISTENER_NAME } from "../limits.ts";
import { MUX_PROTOCOL } from "./mux.ts";

export const KEEP_STATES = ["new", "provisioned", "running", "exited"] as const;
export type KeepState = (typeof KEEP_STATES)[number];

export type KeepCall =
  /** `lane`: its octets go over the lane, and the stream carries only the answer. */
  | { readonly kind: "session" | "bare-session"; readonly lane: boolean }
  | { readonly kind: "health" }
  | { readonly kind: "image" }
  | { readonly kind: "listen"; readonly name: string };

/** Targets on the pipe `in`. */
/** TLS 1.3 that ends inside the Keep. */
export const SESSION_TARGET = "session";
/** A session that the host reads along. */
export const BARE_SESSION_TARGET = "bare-session";
export const HEALTH_TARGET = "health";
/** The image digest, over the files that the Keep sees. */
export const IMAGE_TARGET = "image";
const LISTEN_PREFIX = "listen:";
const LANE_PREFIX = "lane:";
/** Target on the pipe `out` for a line of the runtime. */
export const CONSOLE_TARGET = "console";
/** Target on the pipe `out` for the simulated security processor; every other target there is an authority. */
export const EVIDENCE_TARGET = "evidence";

export function encodeListenTarget(name: string): string {
  return LISTEN_PREFIX + name;
}

/** @param target of a session, which is to go over the lane */
export function encodeLaneTarget(target: string): string {
  return LANE_PREFIX + target;
}

/** Octets that may wait unread on a stream of the pipe `in`. */
export function windowOfCall(target: string): number {
  return target === SESSION_TARGET || target === BARE_SESSION_TARGET
    ? GATE_SESSION_WINDOW
    : GATE_STREAM_WINDOW;
}

/** What a stream on the pipe `in` is for. Throws `gate/protocol`. */
export function parseKeepCall(target: string): KeepCall {
  const lane = target.startsWith(LANE_PREFIX);
  const session = lane ? target.slice(LANE_PREFIX.length) : target;
  if (session === SESSION_TARGET) return { kind: "session", lane };
  if (session === BARE_SESSION_TARGET) return { kind: "bare-session", lane };
  if (target === HEALTH_TARGET) return { kind: "health" };
  if (target === IMAGE_TARGET) return { kind: "image" };
  const name = target.startsWith(LISTEN_PREFIX) ? target.slice(LISTEN_PREFIX.length) : "";
  if (name.length > 0 && name.length <= MAX_LISTENER_NAME) return { kind: "listen", name };
  throw new DonjonError(
    "gate/protocol",
    `the gate was asked for ${quote(target)}, wanted "session", "bare-session", "lane:" and one of these, "listen:<name>", "health" or "image"`,
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

/** @param digest image digest, lower-case hex */
export function encodeImageAnswer(digest: string): string {
  return JSON.stringify({ digest });
}

/** The image digest. Throws `gate/protocol` for anything but what `encodeImageAnswer` made. */
export function parseImageAnswer(body: string): string {
  const digest = /^\{"digest":"([0-9a-f]{64})"\}$/.exec(body)?.[1];
  if (digest !== undefined) return digest;
  throw new DonjonError(
    "gate/protocol",
    `the Keep's answer about its image is ${quote(body)}, which has no digest`,
  );
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 64));
}
