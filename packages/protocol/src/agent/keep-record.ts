/** What a client asks of an agent, and what the agent answers: JSON, read strictly by both ends. */
import { DonjonError } from "@donjon/core/errors";
import { KEEP_STATES } from "../gate/gate.ts";
import { MAX_CONSOLE_LINE, MAX_CONSOLE_LINES, MAX_LISTENER_NAME } from "../limits.ts";
import {
  array,
  boolean,
  integer,
  mapOf,
  matching,
  oneOf,
  record,
  type Shape,
  type Shaped,
  text,
} from "../session/shape.ts";
import {
  MAX_CONNECTIONS,
  MAX_LABEL_VALUE,
  MAX_LABELS,
  MAX_LISTED_KEEPS,
  MAX_LISTENERS,
  MAX_NETWORK_RULE,
  MAX_NETWORK_RULES,
  MIN_MEMORY_BYTES,
} from "./limits.ts";

export const BACKEND_NAMES = ["snp", "tdx", "sgx", "vm", "process"] as const;

/** `starting`: not usable yet. `ended`: it ran and its record says how it ended. `lost`: nobody knows how. */
export const AGENT_KEEP_STATES = ["starting", "running", "ended", "lost"] as const;

/** Why a Keep ended: by itself, at a caller's wish, by a limit of its own, or the host failed. */
export const END_REASONS = ["exited", "stopped", "lifetime", "memory", "failed"] as const;

/** A Keep's name: fit for a host name, so that it is fit for everything. */
export const KEEP_NAME = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** A Keep's id: 8 random octets in hex. */
export const KEEP_ID = /^[0-9a-f]{16}$/;

const MAX_SENTENCE = 4096;
const MAX_NAME = 1024;
const MAX_TIME_MS = 8.64e15;
const MAX_LIFETIME_MS = 10 * 365 * 86_400_000;

function or<T, F>(shape: Shape<T>, fallback: F): Shape<T | F> {
  return (value, path) => (value === undefined ? fallback : shape(value, path));
}

function orNull<T>(shape: Shape<T>): Shape<T | null> {
  return (value, path) => (value === null ? null : shape(value, path));
}

const name = matching(KEEP_NAME, "a name of a-z, 0-9 and '-', at most 63 characters");
const id = matching(KEEP_ID, "16 digits in lower-case hex");
const labelName = /^[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,126}[A-Za-z0-9])?$/;
const time = integer(0, MAX_TIME_MS);

const labels: Shape<Readonly<Record<string, string>>> = (value, path) => {
  const found = mapOf(text(0, MAX_LABEL_VALUE), MAX_LABELS)(value, path);
  for (const key of found.keys()) matching(labelName, "a label's name")(key, `${path}'s name`);
  return Object.fromEntries(found);
};

const listeners = array(
  record({
    name: text(1, MAX_LISTENER_NAME),
    address: matching(/^[0-9A-Za-z.:%-]{1,64}$/, "an address"),
    port: integer(0, 65535),
  }),
  MAX_LISTENERS,
);
const connections = array(text(1, 320), MAX_CONNECTIONS);

/** What a Keep may connect to (`HOST:PORTS`) and listen on (`ADDRESS:PORTS`). */
const networkRules = array(text(1, MAX_NETWORK_RULE), MAX_NETWORK_RULES);
const network = record({ connect: networkRules, listen: networkRules });

const limitsOf = (fallback: null | undefined) => {
  const limit = <T>(shape: Shape<T>): Shape<T | null> =>
    fallback === null ? or(orNull(shape), null) : orNull(shape);
  return record({
    lifetimeMs: limit(integer(1, MAX_LIFETIME_MS)),
    memoryBytes: limit(integer(MIN_MEMORY_BYTES, Number.MAX_SAFE_INTEGER)),
    bandwidthBytesPerS: limit(integer(1024, Number.MAX_SAFE_INTEGER)),
  });
};
const NO_LIMITS = { lifetimeMs: null, memoryBytes: null, bandwidthBytesPerS: null };

const request = record({
  backend: or(orNull(oneOf(...BACKEND_NAMES)), null),
  name: or(orNull(name), null),
  labels: or(labels, {}),
  listeners: or(listeners, []),
  connections: or(connections, []),
  limits: or(limitsOf(null), NO_LIMITS),
});

const keep = record({
  id,
  name,
  owner: text(1, MAX_NAME),
  backend: oneOf(...BACKEND_NAMES),
  protects: boolean,
  state: oneOf(...AGENT_KEEP_STATES),
  createdAt: time,
  labels,
  listeners,
  connections,
  network: orNull(network),
  limits: limitsOf(undefined),
  health: orNull(oneOf(...KEEP_STATES)),
  sandbox: text(0, MAX_NAME),
  image: text(0, MAX_NAME),
  end: orNull(record({ reason: oneOf(...END_REASONS), detail: text(0, MAX_SENTENCE), at: time })),
});

const platform = record({
  backends: array(
    record({
      name: oneOf(...BACKEND_NAMES),
      protects: boolean,
      available: boolean,
      detail: text(0, MAX_SENTENCE),
    }),
    BACKEND_NAMES.length,
  ),
});

const consoleLines = record({ lines: array(text(0, MAX_CONSOLE_LINE), MAX_CONSOLE_LINES) });

export type AgentBackendName = (typeof BACKEND_NAMES)[number];
export type AgentKeepState = (typeof AGENT_KEEP_STATES)[number];
export type EndReason = (typeof END_REASONS)[number];
/** Every field that a client may leave out is there, with `null` or nothing in it. */
export type KeepRequest = Shaped<typeof request>;
export type KeepLimits = KeepRequest["limits"];
export type KeepListener = KeepRequest["listeners"][number];
/** What a Keep's owner was allowed when it was made; in a record `null`: everything. */
export type NetworkRules = Shaped<typeof network>;
/** `createdAt` and `end.at`: milliseconds since 1970 by the host's clock. `health`: what the Keep says of itself, if it was asked. */
export type KeepRecord = Shaped<typeof keep>;
export type KeepEndRecord = NonNullable<KeepRecord["end"]>;
/** What this machine can start; `detail` says what was tried. */
export type AgentPlatform = Shaped<typeof platform>;

/** Each throws `agent/protocol` for a value that is not well formed. */
export const parseKeepRequest = (value: unknown): KeepRequest => parse(request, value, "request");
export const parseKeepRecord = (value: unknown): KeepRecord => parse(keep, value, "answer");
export const parseKeepList = (value: unknown): readonly KeepRecord[] =>
  parse(record({ keeps: array(keep, MAX_LISTED_KEEPS) }), value, "answer").keeps;
export const parsePlatform = (value: unknown): AgentPlatform => parse(platform, value, "answer");
export const parseConsole = (value: unknown): readonly string[] =>
  parse(consoleLines, value, "answer").lines;

function parse<T>(shape: Shape<T>, value: unknown, what: string): T {
  try {
    return shape(value, what);
  } catch (cause) {
    if (!(cause instanceof DonjonError)) throw cause;
    const message = cause.message.replace(/^the message's /, "the agent's ");
    throw new DonjonError("agent/protocol", message, { cause });
  }
}
