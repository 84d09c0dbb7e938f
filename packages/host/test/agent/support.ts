/** Agents in this process, with wardens and Keeps of their own, gone when the test ends. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { AgentPlatform } from "@donjon/protocol/agent/keep-record";
import { type Agent, type AgentOptions, openAgent } from "../../src/agent/agent.ts";
import { createLog } from "../../src/agent/log.ts";

export const WARDEN_COMMAND = [
  process.execPath,
  "--no-wasm-deopt",
  "--conditions=source",
  "--disable-warning=ExperimentalWarning",
  join(import.meta.dirname, "../warden/entry.ts"),
];

export const PLATFORM: AgentPlatform = {
  backends: [
    { name: "snp", protects: true, available: false, detail: "no SEV-SNP here" },
    { name: "process", protects: false, available: true, detail: "a process of this machine" },
  ],
};

export interface TestAgent {
  readonly agent: Agent;
  readonly state: string;
  /** Of its unix socket. */
  readonly address: string;
  /** All it logged. */
  readonly lines: string[];
}

export async function makeState(t: TestContext): Promise<string> {
  const state = await mkdtemp(join(tmpdir(), "donjon-agent-"));
  t.after(() => rm(state, { recursive: true, force: true, maxRetries: 5 }));
  return state;
}

/** With a unix socket, and whatever else `more` says. All its Keeps end with the test. */
export async function startAgent(
  t: TestContext,
  more: Partial<AgentOptions> = {},
): Promise<TestAgent> {
  const state = more.state ?? (await makeState(t));
  const lines: string[] = [];
  const address = `unix:${join(state, "agent.sock")}`;
  const agent = await openAgent({
    wardenCommand: WARDEN_COMMAND,
    platform: async () => PLATFORM,
    readTrust: async () => '{"simulated":true}\n',
    log: createLog((line) => lines.push(line), false),
    ...more,
    state,
    listen: [address, ...(more.listen ?? [])],
  });
  let closed = false;
  const close = agent.close;
  const once = {
    ...agent,
    close: (...args: Parameters<Agent["close"]>) => {
      closed = true;
      return close(...args);
    },
  };
  t.after(async () => {
    if (!closed) await close({ drainMs: 0, endKeeps: true });
  });
  return { agent: once, state, address, lines };
}
