/** An agent in this process with process Keeps of its own, and the command as a user runs it against that agent. */
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, connect as netConnect } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { AgentPlatform } from "@donjon/client/agent/client";
import { type AgentOptions, openAgent } from "@donjon/host/agent/agent";
import { openSecurityProcessor } from "@donjon/simtee/security-processor";
import { encodeTrust } from "@donjon/simtee/trust";
import { type CommandOptions, type Ended, runCommand, startCommand } from "../command.ts";

const PLATFORM: AgentPlatform = {
  backends: [
    { name: "snp", protects: true, available: false, detail: "there is no /dev/sev" },
    { name: "process", protects: false, available: true, detail: "a process of this machine" },
  ],
};

/** Issuing the keys of a simulated machine takes a second: once for all tests of a file. */
const machine = await mkdtemp(join(tmpdir(), "donjon-machine-"));
process.on("exit", () => process.getBuiltinModule("node:fs").rmSync(machine, { recursive: true }));

export interface TestAgent {
  /** Of its socket, or of the proxy before it. */
  readonly address: string;
  /** A home of its own for the user: keys and state. */
  readonly env: Readonly<Record<string, string>>;
  run(args: readonly string[], options?: CommandOptions): Promise<Ended & { out: string }>;
  start(args: readonly string[]): ReturnType<typeof startCommand>;
}

export interface AgentChoice {
  readonly platform?: AgentPlatform;
  /** Besides its unix socket. */
  readonly listen?: readonly string[];
  readonly tls?: AgentOptions["tls"];
  /** What its Keeps run; the real one unless said. */
  readonly runtime?: string;
}

const RUNTIME = join(import.meta.dirname, "../../../keep/dist/keep.cjs");

export interface OwnedAgent extends TestAgent {
  readonly state: string;
  /** All that it listens on. */
  readonly addresses: readonly string[];
}

export async function startAgent(
  t: TestContext,
  { platform = PLATFORM, listen = [], tls = null, runtime = RUNTIME }: AgentChoice = {},
): Promise<OwnedAgent> {
  const state = await mkdtemp(join(tmpdir(), "donjon-a-"));
  const address = `unix:${join(state, "agent.sock")}`;
  const processor = await openSecurityProcessor(machine);
  const agent = await openAgent({
    state,
    listen: [address, ...listen],
    tls,
    wardenCommand: [
      process.execPath,
      "--no-wasm-deopt",
      "--conditions=source",
      "--disable-warning=ExperimentalWarning",
      join(import.meta.dirname, "warden.ts"),
      machine,
      runtime,
    ],
    platform: async () => platform,
    readTrust: async () => encodeTrust(processor.trust),
    log: () => {},
  });
  t.after(async () => {
    await agent.close({ drainMs: 0, endKeeps: true });
    await rm(state, { recursive: true, force: true, maxRetries: 5 });
  });
  return { ...useAgent(address, state), state, addresses: agent.addresses };
}

/** The same agent for another user: another home, hence another key. */
export function useAgent(address: string, home: string): TestAgent {
  const env = {
    HOME: home,
    XDG_CONFIG_HOME: join(home, "config"),
    XDG_STATE_HOME: join(home, ".local/state"),
    // The agent is in this process: both must find the same built image, or none.
    XDG_CACHE_HOME: process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"),
    DONJON_AGENT: address,
  };
  return {
    address,
    env,
    run: async (args, options = {}) => {
      const ended = await runCommand(args, { ...options, env: { ...env, ...options.env } });
      return { ...ended, out: `${ended.stdout}` };
    },
    start: (args) => startCommand(args, { env }),
  };
}

export interface Recorder {
  readonly address: string;
  /** All that went from client to agent, and back. */
  readonly sent: () => Buffer;
  readonly received: () => Buffer;
}

/** Stands before an agent and keeps every byte. */
export async function startRecorder(t: TestContext, address: string): Promise<Recorder> {
  const directory = await mkdtemp(join(tmpdir(), "donjon-r-"));
  const path = join(directory, "s.sock");
  const [sent, received]: [Buffer[], Buffer[]] = [[], []];
  const server = createServer((client) => {
    const agent = netConnect(address.replace(/^unix:/, ""));
    client.on("data", (chunk: Buffer) => sent.push(chunk));
    agent.on("data", (chunk: Buffer) => received.push(chunk));
    client.on("error", () => agent.destroy());
    agent.on("error", () => client.destroy());
    client.pipe(agent).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.after(async () => {
    server.close();
    await rm(directory, { recursive: true, force: true });
  });
  return {
    address: `unix:${path}`,
    sent: () => Buffer.concat(sent),
    received: () => Buffer.concat(received),
  };
}
