import { DonjonError } from "@donjon/core/errors";
import {
  parseConsole,
  parseKeepList,
  parseKeepRecord,
  parsePlatform,
} from "@donjon/protocol/agent/keep-record";
import { MAX_TRUST_CHARACTERS } from "@donjon/protocol/agent/limits";
import type { AgentClient, AgentOptions } from "./client.ts";
import { type AgentCall, createTransport } from "./transport.ts";

const TIMEOUT_MS = 30_000;
/** A VM boots meanwhile, where nothing makes that fast. */
const CREATE_TIMEOUT_MS = 120_000;

/**
 * Connects nowhere yet: the first call does.
 * @param address `unix:/path`, `https://host:port` or `http://host:port`
 * @throws DonjonError `usage` when it is none of these
 */
export function connectAgent(address: string, options: AgentOptions = {}): AgentClient {
  const transport = createTransport(address, options);
  const { timeoutMs = TIMEOUT_MS } = options;
  const call = async (method: AgentCall["method"], path: string, more: Partial<AgentCall> = {}) =>
    transport.call({ method, path, timeoutMs, ...more });
  const json = async (...args: Parameters<typeof call>) => parseJson(await call(...args));
  return {
    address,
    createKeep: async (keep) => {
      const timeout = { timeoutMs: Math.max(timeoutMs, CREATE_TIMEOUT_MS) };
      return parseKeepRecord(await json("POST", "/v1/keeps", { body: keep, ...timeout }));
    },
    listKeeps: async () => parseKeepList(await json("GET", "/v1/keeps")),
    getKeep: async (keep) => parseKeepRecord(await json("GET", pathOf(keep))),
    removeKeep: async (keep) => void (await call("DELETE", pathOf(keep))),
    stopKeep: async (keep) => parseKeepRecord(await json("POST", `${pathOf(keep)}/stop`)),
    readConsole: async (keep) => parseConsole(await json("GET", `${pathOf(keep)}/console`)),
    openSession: async (keep, { bare = false } = {}) => {
      const path = `${pathOf(keep)}/session${bare ? "?bare=1" : ""}`;
      return transport.upgrade({ method: "GET", path, timeoutMs });
    },
    getPlatform: async () => parsePlatform(await json("GET", "/v1/platform")),
    getSimulatedTrust: async () => {
      const text = await call("GET", "/v1/simulated-trust");
      if (text.length <= MAX_TRUST_CHARACTERS) return text;
      throw new DonjonError("agent/protocol", `the simulated roots have ${text.length} characters`);
    },
  };
}

function pathOf(keep: string): string {
  if (/^[0-9A-Za-z-]{1,64}$/.test(keep)) return `/v1/keeps/${keep}`;
  throw new DonjonError("agent/not-found", `there is no Keep ${JSON.stringify(keep.slice(0, 64))}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DonjonError("agent/protocol", "the agent's answer is not JSON", { cause });
  }
}
