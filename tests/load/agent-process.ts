/** An agent in a process of its own, which can be killed and started again on the same state. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { AgentClient } from "@donjon/client/agent/client";
import { connectAgent } from "@donjon/client/agent/connect";
import { DONJON } from "../support/keep.ts";
import { listTree, type ProcessMark, until } from "../support/processes.ts";

export class AgentProcess {
  readonly client: AgentClient;
  readonly #state: string;
  #child: ChildProcess | null = null;
  #log = "";

  /** @param folder everything that the agent and its Keeps write lies below it */
  constructor(folder: string) {
    this.#state = join(folder, "agent");
    mkdirSync(this.#state);
    this.client = connectAgent(this.address, { timeoutMs: 60_000 });
  }

  get address(): string {
    return `unix:${join(this.#state, "agent.sock")}`;
  }

  /** Of the agent itself; Keeps belong to wardens. */
  get mark(): ProcessMark {
    return listTree(this.#child!.pid!).find(({ pid }) => pid === this.#child!.pid)!;
  }

  /** Resolves when it answers. */
  async start(): Promise<void> {
    const child = spawn(DONJON, ["agent", "--state", this.#state, "--listen", this.address], {
      env: { ...process.env, XDG_STATE_HOME: join(this.#state, "..") },
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#child = child;
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#log = `${this.#log}${text}`.slice(-100_000);
    });
    await until("the agent answers", async () => {
      if (child.exitCode !== null) throw new Error(`the agent ended: ${this.#log}`);
      return this.client.listKeeps().then(
        () => true,
        () => false,
      );
    });
  }

  /** SIGKILL: it has no chance to tidy up. */
  async kill(): Promise<void> {
    const child = this.#child!;
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  }

  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }

  /** SIGTERM; answers the exit code. */
  async stop(): Promise<number | null> {
    const child = this.#child!;
    child.kill("SIGTERM");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    return child.exitCode;
  }

  /** Ids of Keeps that have a folder, whatever the agent says. */
  listFolders(): readonly string[] {
    return readdirSync(join(this.#state, "keeps"));
  }

  /** The warden of a Keep, then everything that its Keep is made of. */
  listProcesses(id: string): readonly ProcessMark[] {
    return JSON.parse(readFileSync(join(this.#state, "keeps", id, "processes.json"), "utf8"));
  }

  get log(): string {
    return this.#log;
  }
}
