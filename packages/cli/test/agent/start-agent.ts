/** The command `donjon agent` as a process of its own, gone when the test ends. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { DONJON } from "../../../../tests/support/keep.ts";
import { until } from "../../../../tests/support/processes.ts";

export async function makeState(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "donjon-cli-agent-"));
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

export interface RunningAgent {
  /** The first that it listens on. */
  readonly address: string;
  /** All of them. */
  readonly addresses: readonly string[];
  /** Each line of its log. */
  readonly lines: () => readonly Record<string, unknown>[];
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** On a socket in `state`, and on what `more` says. Resolves when it listens. */
export function startAgent(
  t: TestContext,
  state: string,
  ...more: string[]
): Promise<RunningAgent> {
  const listen = ["--listen", `unix:${join(state, "agent.sock")}`];
  const args = ["--state", join(state, "agent"), ...listen, ...more];
  return runAgent(t, args, { XDG_STATE_HOME: state });
}

/** With `args` alone. Resolves when it listens. */
export async function runAgent(
  t: TestContext,
  args: readonly string[],
  variables: NodeJS.ProcessEnv,
): Promise<RunningAgent> {
  const env = { ...process.env, ...variables };
  const child = spawn(DONJON, ["agent", ...args], { env, stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    log += text;
  });
  const lines = () =>
    log
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    return child.exitCode;
  };
  t.after(() => end("SIGKILL"));
  const listening = await until("the agent listens", () => {
    if (child.exitCode !== null) throw new Error(`the agent ended: ${log}`);
    return lines().find(({ event }) => event === "agent listens");
  });
  const addresses = String(listening["addresses"]).split(" ");
  return { address: addresses[0]!, addresses, lines, end };
}
