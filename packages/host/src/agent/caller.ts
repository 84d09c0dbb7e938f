/** Who calls an agent, and what they may have. */
import { formatCount } from "@donjon/core/count";
import { DonjonError } from "@donjon/core/errors";
import type { KeepLimits, NetworkRules } from "@donjon/protocol/agent/keep-record";
import type { StoredKeep } from "./state/keep-store.ts";

/** An operator sees and touches everybody's Keeps. */
export type CallerRole = "user" | "operator";

/** `null`: no limit. */
export interface CallerLimits {
  readonly maxKeeps: number | null;
  /** Of all the caller's Keeps together. */
  readonly maxMemoryBytes: number | null;
  /** Of each Keep. */
  readonly maxLifetimeMs: number | null;
  /** Through the gates of all the caller's Keeps together. */
  readonly maxBandwidthBytesPerS: number | null;
  /** Open at once. */
  readonly maxSessions: number | null;
}

export interface Caller {
  readonly name: string;
  readonly role: CallerRole;
  readonly limits: CallerLimits;
  /** `null`: its Keeps may connect to and listen on whatever the agent's user may. */
  readonly network: NetworkRules | null;
}

export const NO_CALLER_LIMITS: CallerLimits = {
  maxKeeps: null,
  maxMemoryBytes: null,
  maxLifetimeMs: null,
  maxBandwidthBytesPerS: null,
  maxSessions: null,
};

/** Whether a Keep takes up what its owner may have. */
function isLive({ state }: StoredKeep): boolean {
  return state === "starting" || state === "handing-out" || state === "running";
}

/**
 * The limits of a new Keep of the caller: those asked for, and where none are, the caller's own share. `own`: the
 * caller's Keeps. Throws `agent/limit` when what is there takes up too much, `agent/forbidden` for what the caller may
 * never have.
 */
export function grantLimits(
  { name, limits }: Caller,
  own: readonly StoredKeep[],
  asked: KeepLimits,
): KeepLimits {
  const live = own.filter(isLive);
  const { maxKeeps } = limits;
  if (maxKeeps !== null && live.length >= maxKeeps) {
    throw new DonjonError(
      "agent/limit",
      `${name} has ${formatCount(live.length, "Keep")} and may have ${maxKeeps}; stop or remove one first`,
    );
  }
  const share = (what: string, max: number | null, asked: number | null, used: number) =>
    grantShare({ name, what, max, asked, used, parts: maxKeeps ?? 1 });
  const sum = (field: "memoryBytes" | "bandwidthBytesPerS") =>
    live.reduce((total, keep) => total + (keep.limits[field] ?? 0), 0);
  return {
    lifetimeMs: grantLifetime(name, limits.maxLifetimeMs, asked.lifetimeMs),
    memoryBytes: share(
      "bytes of memory",
      limits.maxMemoryBytes,
      asked.memoryBytes,
      sum("memoryBytes"),
    ),
    bandwidthBytesPerS: share(
      "bytes per second",
      limits.maxBandwidthBytesPerS,
      asked.bandwidthBytesPerS,
      sum("bandwidthBytesPerS"),
    ),
  };
}

function grantLifetime(name: string, max: number | null, asked: number | null): number | null {
  if (max === null || asked === null) return asked ?? max;
  if (asked <= max) return asked;
  throw new DonjonError(
    "agent/forbidden",
    `${name} may let a Keep live for ${max} ms, and asked for ${asked}`,
  );
}

interface Share {
  readonly name: string;
  readonly what: string;
  readonly max: number | null;
  readonly asked: number | null;
  readonly used: number;
  /** Into how many Keeps the whole is cut when nothing is asked for. */
  readonly parts: number;
}

function grantShare({ name, what, max, asked, used, parts }: Share): number | null {
  if (max === null) return asked;
  const wanted = asked ?? Math.floor(max / parts);
  if (wanted > max)
    throw new DonjonError(
      "agent/forbidden",
      `${name} may have ${max} ${what}, and asked for ${wanted}`,
    );
  if (used + wanted <= max) return wanted;
  throw new DonjonError(
    "agent/limit",
    `${name} may have ${max} ${what}, its Keeps have ${used} and this one wants ${wanted}; ask for less, or remove one first`,
  );
}
