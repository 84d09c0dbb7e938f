/** The host's daemon: starts Keeps for callers, carries their sessions, and forgets nothing when it is restarted. */
import { join } from "node:path";
import { DonjonError } from "@donjon/core/errors";
import { parseAgentAddress } from "@donjon/protocol/agent/address";
import type { AgentPlatform } from "@donjon/protocol/agent/keep-record";
import { makeDirectory } from "../files/make-directory.ts";
import { completeRules, type GivenNetworkRules, NO_RULES_GIVEN } from "../network/rules.ts";
import { describeKeepFolder, fitsSocketPath } from "../warden/folder.ts";
import type { WardenCommand } from "../warden/start.ts";
import { type CallerLimits, NO_CALLER_LIMITS } from "./caller.ts";
import { chooseAgentBackend } from "./choose-backend.ts";
import type { AgentContext } from "./http/context.ts";
import {
  type AgentServer,
  openServer,
  REQUEST_TIMES,
  type RequestTimes,
  type TlsFiles,
} from "./http/servers.ts";
import { Tunnels } from "./http/tunnels.ts";
import { KeepHost } from "./keep-host.ts";
import { KeepService } from "./keep-service.ts";
import type { Log } from "./log.ts";
import { Metrics } from "./metrics.ts";
import { Pool } from "./pool.ts";
import { reconcileKeeps } from "./reconcile.ts";
import { CallerStore } from "./state/caller-store.ts";
import { lockState, openDatabase } from "./state/database.ts";
import { KeepStore } from "./state/keep-store.ts";
import { noteRunning } from "./state/running.ts";

export interface AgentOptions {
  /** Where its state is; made when it is not there. */
  readonly state: string;
  /** Addresses to listen on (`@donjon/protocol/agent/address`). */
  readonly listen: readonly string[];
  readonly tls?: TlsFiles | null;
  /** How slow a request may be; `REQUEST_TIMES` when not given. */
  readonly times?: RequestTimes;
  /** Of callers with client certificates; none when not given. */
  readonly certificateLimits?: CallerLimits;
  /** Of callers with client certificates; the default rules when not given. */
  readonly certificateNetwork?: GivenNetworkRules;
  /** Keeps that are started before anybody wants them. */
  readonly pool?: number;
  readonly wardenCommand: WardenCommand;
  /** What this machine can start; asked once. */
  readonly platform: () => Promise<AgentPlatform>;
  /** The public roots of the simulated security processor, as text. */
  readonly readTrust: () => Promise<string>;
  readonly log: Log;
}

export interface CloseOptions {
  /** Time that sessions have to end by themselves. */
  readonly drainMs?: number;
  /** Ends the Keeps as well; otherwise they go on. */
  readonly endKeeps?: boolean;
}

export interface Agent {
  /** As clients give them, ports filled in. */
  readonly addresses: readonly string[];
  close(options?: CloseOptions): Promise<void>;
}

const DRAIN_MS = 10_000;

/**
 * Resolves when it listens and has found its Keeps again. Rejects with `agent/conflict` when another agent uses the state or
 * an address, `agent/state`, `files/*`, `usage`.
 */
export async function openAgent(options: AgentOptions): Promise<Agent> {
  const { state, log } = options;
  const directory = join(state, "keeps");
  refuseLongPath(directory);
  const lock = lockState(state);
  makeDirectory(directory);
  const database = openDatabase(state);
  const release = () => {
    database.close();
    lock.release();
  };
  const parts = createParts(options, directory, new KeepStore(database), new CallerStore(database));
  const { host, pool, keeps, context } = parts;
  const doors = { tls: options.tls ?? null, times: options.times ?? REQUEST_TIMES };
  const servers: AgentServer[] = [];
  try {
    const found = await reconcileKeeps(parts.store, host, log);
    pool.adopt(found.pooled);
    for (const address of options.listen)
      servers.push(await openServer(parseAgentAddress(address), context, doors));
  } catch (error) {
    await Promise.all([pool.close(), ...servers.map((server) => server.close())]);
    host.close();
    release();
    throw error;
  }
  parts.begin();
  const forget = noteRunning(state);
  const addresses = servers.map(({ address }) => address);
  log("info", "agent listens", { addresses: addresses.join(" "), state });
  return {
    addresses,
    async close({ drainMs = DRAIN_MS, endKeeps = false } = {}) {
      log("info", "agent stops", { sessions: context.tunnels.size });
      parts.end();
      await Promise.all([
        ...servers.map((server) => server.close()),
        context.tunnels.drain(drainMs),
      ]);
      await pool.close();
      if (endKeeps) await keeps.stopAll();
      host.close();
      forget();
      release();
      log("info", "agent stopped");
    },
  };
}

function createParts(
  options: AgentOptions,
  directory: string,
  store: KeepStore,
  callers: CallerStore,
) {
  const { log, wardenCommand, readTrust } = options;
  const metrics = new Metrics();
  let asked: Promise<AgentPlatform> | null = null;
  const platform = () => {
    asked ??= options.platform();
    return asked;
  };
  const host: KeepHost = new KeepHost({
    store,
    directory,
    wardenCommand,
    metrics,
    log,
    onPooledGone: (id) => pool.drop(id),
  });
  const chooseBackend = async () => chooseAgentBackend(await platform(), null);
  const pool: Pool = new Pool({ size: options.pool ?? 0, store, host, log, chooseBackend });
  const keeps = new KeepService({ store, host, pool, platform, metrics, log });
  let ready = false;
  const context: AgentContext = {
    keeps,
    authentication: {
      callers,
      certificates: typeof options.tls?.clientCa === "string",
      certificateLimits: options.certificateLimits ?? NO_CALLER_LIMITS,
      certificateNetwork: completeRules(options.certificateNetwork ?? NO_RULES_GIVEN),
    },
    platform,
    readTrust,
    metrics,
    log,
    tunnels: new Tunnels(),
    isReady: () => ready,
  };
  const begin = () => {
    ready = true;
    // What the first caller would wait for.
    platform().catch(() => {});
    readTrust().catch(() => {});
  };
  const end = () => {
    ready = false;
  };
  return { store, host, pool, keeps, context, begin, end };
}

/** A unix socket's path is short, and each Keep has one. */
function refuseLongPath(directory: string): void {
  const { socket } = describeKeepFolder(join(directory, "0".repeat(16)));
  if (fitsSocketPath(socket)) return;
  throw new DonjonError(
    "usage",
    `the state directory '${directory}' is too long a path for the sockets in it; choose a shorter one: --state DIR`,
  );
}
