/** `donjon agent token`: who may call an agent over TCP. Works beside a running agent, which sees the change at once. */

import { formatCount } from "@donjon/core/count";
import { DonjonError } from "@donjon/core/errors";
import type { CallerLimits } from "@donjon/host/agent/caller";
import { CallerStore } from "@donjon/host/agent/state/caller-store";
import { openDatabase } from "@donjon/host/agent/state/database";
import { completeRules } from "@donjon/host/network/rules";
import { formatDuration, formatSize } from "@donjon/protocol/manifest/units";
import type { TokenAddOptions, TokenOptions, TokenSetOptions } from "../command/agent.ts";
import { writeLine } from "../output/failure.ts";
import { createStyle, showSafely } from "../output/style.ts";
import { formatTable } from "../output/table.ts";
import { readGivenLimits, readLimits } from "./limit-options.ts";
import { describeRules, readGivenNetworkRules, readNetworkRules } from "./network-options.ts";
import { agentStateDirectory } from "./places.ts";

export function addToken(name: string, options: TokenAddOptions): number {
  const limits = readLimits(options);
  const role = options.operator ? "operator" : "user";
  const given = readNetworkRules(options);
  const token = withCallers(options, (callers) => callers.add(name, role, limits, given));
  if (options.json) {
    const made = { name, role, limits, network: completeRules(given), token };
    process.stdout.write(`${JSON.stringify(made)}\n`);
  } else {
    process.stdout.write(`${token}\n`);
    writeLine(`donjon: this is the token of ${showSafely(name)}, and it is not shown again`);
  }
  return 0;
}

/** `donjon agent token set`. @throws DonjonError `usage`, `agent/not-found` */
export function setToken(name: string, options: TokenSetOptions): number {
  const changes = { limits: readGivenLimits(options), network: readGivenNetworkRules(options) };
  if (Object.keys({ ...changes.limits, ...changes.network }).length === 0) {
    const message = `nothing is to change for '${name}'; give a --max or an --allow option`;
    throw new DonjonError("usage", message);
  }
  const caller = withCallers(options, (callers) => callers.set(name, changes));
  const { role, limits, network } = caller;
  if (options.json) process.stdout.write(`${JSON.stringify({ name, role, limits, network })}\n`);
  else
    writeLine(
      `donjon: for new Keeps of ${showSafely(name)}: limits: ${describeLimits(limits)}; connect to: ${describeRules(network.connect)}; listen on: ${describeRules(network.listen)}`,
    );
  return 0;
}

export function listTokens(options: TokenOptions): number {
  const callers = withCallers(options, (store) => store.list());
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ tokens: callers })}\n`);
    return 0;
  }
  const rows = callers.map(({ name, role, limits, network, createdAt }) => [
    showSafely(name),
    role,
    new Date(createdAt).toISOString().slice(0, 10),
    describeLimits(limits),
    describeRules(network.connect),
    describeRules(network.listen),
  ]);
  process.stdout.write(formatTable([TOKEN_HEAD, ...rows], createStyle(process.stdout)));
  return 0;
}

const TOKEN_HEAD = ["NAME", "ROLE", "MADE", "LIMITS", "CONNECTS TO", "LISTENS ON"];

export function removeToken(name: string, options: TokenOptions): number {
  withCallers(options, (callers) => callers.remove(name));
  if (options.json) process.stdout.write(`${JSON.stringify({ removed: name })}\n`);
  else
    writeLine(`donjon: the token of ${showSafely(name)} opens nothing any more; its Keeps go on`);
  return 0;
}

function withCallers<T>({ state }: TokenOptions, act: (callers: CallerStore) => T): T {
  const database = openDatabase(state ?? agentStateDirectory());
  try {
    return act(new CallerStore(database));
  } finally {
    database.close();
  }
}

function describeLimits(limits: CallerLimits): string {
  const { maxKeeps, maxMemoryBytes, maxLifetimeMs, maxBandwidthBytesPerS, maxSessions } = limits;
  const parts = [
    maxKeeps === null ? null : formatCount(maxKeeps, "Keep"),
    maxMemoryBytes === null ? null : `${formatSize(maxMemoryBytes)} memory`,
    maxLifetimeMs === null ? null : `${formatDuration(maxLifetimeMs)} each`,
    maxBandwidthBytesPerS === null ? null : `${formatSize(maxBandwidthBytesPerS)}/s`,
    maxSessions === null ? null : formatCount(maxSessions, "session"),
  ].filter((part) => part !== null);
  return parts.length === 0 ? "none" : parts.join(", ");
}
