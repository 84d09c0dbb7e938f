/** What callers may do with Keeps. The transport is elsewhere. */
import type { Duplex } from "node:stream";
import { DonjonError } from "@donjon/core/errors";
import type { AgentPlatform, KeepRecord, KeepRequest } from "@donjon/protocol/agent/keep-record";
import { MAX_LISTED_KEEPS } from "@donjon/protocol/agent/limits";
import { parseAuthority } from "@donjon/protocol/gate/gate";
import { createNetworkGuard } from "../network/guard.ts";
import { type Caller, grantLimits } from "./caller.ts";
import { type ChosenBackend, chooseAgentBackend } from "./choose-backend.ts";
import { findKeep, listVisible } from "./find-keep.ts";
import type { KeepHost } from "./keep-host.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import type { Pool } from "./pool.ts";
import type { KeepStore, StoredKeep } from "./state/keep-store.ts";

export interface KeepServiceOptions {
  readonly store: KeepStore;
  readonly host: KeepHost;
  readonly pool: Pool;
  readonly platform: () => Promise<AgentPlatform>;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** Time that a Keep has to say how it is: one that was asked for, and each of a list, which then goes without it. */
const HEALTH_MS = { one: 10_000, listed: 1_000 } as const;

export class KeepService {
  readonly #options: KeepServiceOptions;

  constructor(options: KeepServiceOptions) {
    this.#options = options;
  }

  async create(caller: Caller, request: KeepRequest): Promise<KeepRecord> {
    const { store, host, metrics, log, platform } = this.#options;
    const backend = chooseAgentBackend(await platform(), request.backend);
    checkSockets(caller, request);
    const id = this.#reserve(caller, request, backend);
    const { limits, state } = store.get(id)!;
    try {
      // A pooled Keep runs already.
      if (state === "starting")
        await host.start(id, {
          backend: backend.name,
          bandwidthBytesPerS: limits.bandwidthBytesPerS,
        });
      const { listeners, connections } = request;
      const { network } = caller;
      const report = await host.assign(id, { listeners, connections, limits, network });
      const { sandbox, image } = report;
      const keep = store.update(id, {
        state: "running",
        listeners: report.listeners,
        sandbox,
        image,
      });
      host.confirm(id);
      metrics.count("donjon_keeps_created_total");
      log("info", "Keep created", {
        keep: id,
        name: keep.name,
        backend: keep.backend,
        caller: caller.name,
      });
      return toRecord(keep, report.health);
    } catch (error) {
      await host.remove(id);
      // A pooled Keep may have ended a moment ago, which is nothing to its new owner.
      if (state === "handing-out" && (error as DonjonError).code === "keep/lost")
        return this.create(caller, request);
      throw error;
    }
  }

  async list(caller: Caller): Promise<readonly KeepRecord[]> {
    return Promise.all(
      listVisible(this.#options.store, caller).map((keep) =>
        this.#describe(keep, HEALTH_MS.listed),
      ),
    );
  }

  async get(caller: Caller, wanted: string): Promise<KeepRecord> {
    return this.#describe(findKeep(this.#options.store, caller, wanted));
  }

  async stop(caller: Caller, wanted: string): Promise<KeepRecord> {
    const { store, host } = this.#options;
    const keep = findKeep(store, caller, wanted);
    refuseStarting(keep);
    if (keep.state === "running") await host.stop(keep.id);
    return this.#describe(store.get(keep.id) ?? keep);
  }

  async remove(caller: Caller, wanted: string): Promise<void> {
    const { store, host, metrics, log } = this.#options;
    const keep = findKeep(store, caller, wanted);
    refuseStarting(keep);
    await host.remove(keep.id);
    metrics.count("donjon_keeps_removed_total");
    log("info", "Keep removed", { keep: keep.id, caller: caller.name });
  }

  readConsole(caller: Caller, wanted: string): readonly string[] {
    return this.#options.host.readConsole(findKeep(this.#options.store, caller, wanted).id);
  }

  async openSession(caller: Caller, wanted: string, bare: boolean): Promise<Duplex> {
    const keep = findKeep(this.#options.store, caller, wanted);
    if (keep.state === "running") return this.#options.host.openSession(keep.id, bare);
    const how = keep.end === null ? "" : `: ${keep.end.detail}`;
    throw new DonjonError("agent/state", `the Keep '${keep.name}' is ${keep.state}${how}`);
  }

  /** How many Keeps there are of each state and backend. */
  count(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { state, backend } of this.#options.store.list()) {
      const key = `${state} ${backend}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return counts;
  }

  /** Ends all Keeps; their records stay. */
  async stopAll(): Promise<void> {
    const { store, host } = this.#options;
    const running = store.list().filter(({ state }) => state === "running");
    await Promise.all(running.map(({ id }) => host.stop(id)));
  }

  /** Makes the row, without a pause in which another request could pass the same limits. */
  #reserve(caller: Caller, request: KeepRequest, backend: ChosenBackend): string {
    const { store, host, pool } = this.#options;
    const own = store.listOf(caller.name);
    const limits = grantLimits(caller, own, request.limits);
    if (own.length >= MAX_LISTED_KEEPS)
      throw new DonjonError(
        "agent/limit",
        `${caller.name} has ${own.length} records of Keeps; remove some`,
      );
    if (own.some(({ name }) => name === request.name)) {
      const message = `there is a Keep '${request.name}'; remove it first, or choose another name`;
      throw new DonjonError("agent/conflict", message);
    }
    const pooled = limits.bandwidthBytesPerS === null ? pool.take(backend.name) : null;
    const id = pooled ?? host.newId();
    const row = {
      owner: caller.name,
      name: request.name ?? id.slice(0, 8),
      createdAt: Date.now(),
      labels: request.labels,
      listeners: request.listeners,
      connections: request.connections,
      network: caller.network,
      limits,
    };
    if (pooled !== null) store.update(id, { ...row, state: "handing-out" });
    else
      store.insert({
        ...row,
        id,
        state: "starting",
        backend: backend.name,
        protects: backend.protects,
        sandbox: "",
        image: "",
        end: null,
      });
    return id;
  }

  async #describe(keep: StoredKeep, limitMs: number = HEALTH_MS.one): Promise<KeepRecord> {
    const { host } = this.#options;
    const health = keep.state === "running" ? await host.askHealth(keep.id, limitMs) : null;
    return toRecord(keep, health);
  }
}

/** Before a Keep is made or taken from the pool: what can be said without a resolver. The warden looks at all of it. */
function checkSockets({ network }: Caller, { listeners, connections }: KeepRequest): void {
  const targets = connections.map(parseAuthority);
  if (network === null) return;
  const guard = createNetworkGuard(network, { onRefused: () => {} });
  for (const { address: host, port } of listeners) guard.checkListener({ host, port });
  for (const target of targets) guard.checkConnection(target);
}

function refuseStarting({ state, name }: StoredKeep): void {
  if (state !== "starting" && state !== "handing-out") return;
  throw new DonjonError(
    "agent/conflict",
    `the Keep '${name}' is still being made; try again in a moment`,
  );
}

function toRecord(keep: StoredKeep, health: KeepRecord["health"]): KeepRecord {
  const { state, owner, ...rest } = keep;
  // The other states are never shown: `listVisible`.
  const shown = state === "running" || state === "ended" || state === "lost" ? state : "starting";
  return { ...rest, state: shown, owner: owner ?? "", health };
}
