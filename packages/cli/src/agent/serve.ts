/** `donjon agent`: runs until it is asked to stop. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Agent, openAgent } from "@donjon/host/agent/agent";
import { removeStaleSocket } from "@donjon/host/agent/http/stale-socket";
import { createLog, type Log } from "@donjon/host/agent/log";
import { stopAgent } from "@donjon/host/agent/state/running";
import { probePlatform } from "@donjon/host/platform/probe";
import type { AgentCommandOptions, TokenOptions } from "../command/agent.ts";
import { findRuntime } from "../early-keep.ts";
import { EXIT } from "../output/exit-codes.ts";
import { writeLine } from "../output/failure.ts";
import { readLimits } from "./limit-options.ts";
import { readNetworkRules } from "./network-options.ts";
import { agentStateDirectory, defaultListenAddress } from "./places.ts";
import { createTrustReader } from "./simulator.ts";
import { readTlsFiles, warnOfOpenKey } from "./tls-files.ts";

export async function serveAgent(options: AgentCommandOptions): Promise<number> {
  const human = process.stderr.isTTY === true && !options.json;
  const log = createLog((line) => process.stderr.write(line), human);
  const runtime = findRuntime();
  const signals = watchSignals();
  const usual = defaultListenAddress();
  const { listen = [usual] } = options;
  const tls = readTlsFiles(options);
  warnOfOpenKey(options, log);
  const agent = await openAgent({
    state: options.state ?? agentStateDirectory(),
    listen,
    tls,
    certificateLimits: readLimits(options),
    certificateNetwork: readNetworkRules(options),
    pool: options.pool ?? 0,
    wardenCommand: findWarden(),
    platform: async () => {
      const { backends } = await probePlatform({ engine: process.execPath, runtime });
      return { backends };
    },
    readTrust: createTrustReader(),
    log,
  });
  if (!listen.includes(usual)) await leaveUsualAddress(usual, agent, log);
  await untilStopped(agent, signals, options);
  return EXIT.ok;
}

/** Commands here look at the usual socket: one that an agent has left behind there would only make them fail. */
async function leaveUsualAddress(usual: string, { addresses }: Agent, log: Log): Promise<void> {
  const path = usual.replace("unix:", "");
  if (await removeStaleSocket(path))
    log("info", "a socket that nobody listens on was removed", { path });
  if (addresses.some((each) => each.startsWith("unix:"))) return;
  log("warn", "agent has no unix socket", {
    advice: `commands on this machine need --agent or DONJON_AGENT, and a token; to have the socket too, add --listen ${usual}`,
  });
}

/** Longer than an agent needs to stop with the longest `--drain` that makes sense. */
const STOP_MS = 120_000;

/** `donjon agent stop`. */
export async function endAgent({ state, json }: TokenOptions): Promise<number> {
  await stopAgent(state ?? agentStateDirectory(), STOP_MS);
  if (json) process.stdout.write(`${JSON.stringify({ stopped: true })}\n`);
  else
    writeLine(
      "donjon: the agent has stopped; its Keeps go on unless it was started with --end-keeps",
    );
  return EXIT.ok;
}

interface Signals {
  /** The agent is to stop. */
  readonly asked: Promise<void>;
  /** At once. */
  readonly askedAgain: Promise<void>;
}

/** Before anything is opened: an agent that is asked to stop while it starts still leaves everything in order. */
function watchSignals(): Signals {
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  let asked = false;
  const ask = () => {
    if (asked) second.resolve();
    else first.resolve();
    asked = true;
  };
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, ask);
  return { asked: first.promise, askedAgain: second.promise };
}

/** Resolves when the agent has stopped; what is then still open is cut. */
async function untilStopped(
  agent: Agent,
  { asked, askedAgain }: Signals,
  { endKeeps = false, drain }: AgentCommandOptions,
): Promise<void> {
  await asked;
  const closed = agent.close({ endKeeps, ...(drain === undefined ? {} : { drainMs: drain }) });
  await Promise.race([closed, askedAgain]);
}

/** Engine, its flags and the warden's program: bundled, or in its source. */
function findWarden(): readonly string[] {
  const here = dirname(process.argv[1]!);
  const bundled = join(here, "warden.cjs");
  if (existsSync(bundled)) return [process.execPath, ...WARDEN_FLAGS, bundled];
  const flags = ["--conditions=source", "--disable-warning=ExperimentalWarning"];
  return [process.execPath, ...WARDEN_FLAGS, ...flags, join(here, "agent/keep-warden.ts")];
}

/** A warden carries bytes and computes nothing: a small heap, and no threads for compilers. */
const WARDEN_FLAGS = [
  "--max-semi-space-size=4",
  "--v8-pool-size=1",
  "--no-concurrent-recompilation",
  "--no-concurrent-sparkplug",
];
