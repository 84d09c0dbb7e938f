/** Who runs on a state directory, for whoever wants to stop it. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { DonjonError } from "@donjon/core/errors";
import { readOptionalJson, writeJson } from "../../warden/folder.ts";
import { isRunning, markProcess, type ProcessMark } from "../../warden/process-tree.ts";

const LOOK_MS = 20;

const fileOf = (state: string): string => join(state, "agent.json");

/** Answers what takes the note away. */
export function noteRunning(state: string): () => void {
  writeJson(fileOf(state), markProcess(process.pid));
  return () => rmSync(fileOf(state), { force: true });
}

/**
 * Asks the agent of a state directory to stop, and resolves when it has. Rejects with `agent/unreachable` when none runs,
 * or it has not stopped within `limitMs`.
 */
export async function stopAgent(state: string, limitMs: number): Promise<void> {
  const mark = readOptionalJson<ProcessMark>(fileOf(state));
  if (mark === null || !isRunning(mark))
    throw new DonjonError("agent/unreachable", `no agent runs on the state in '${state}'`);
  process.kill(mark.pid, "SIGTERM");
  const deadline = performance.now() + limitMs;
  while (isRunning(mark)) {
    if (performance.now() > deadline) {
      const message = `the agent (process ${mark.pid}) was asked to stop and has not within ${limitMs} ms`;
      throw new DonjonError("agent/unreachable", message);
    }
    await delay(LOOK_MS);
  }
}
