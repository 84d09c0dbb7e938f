/** What the agent says of its Keeps. None of it is proved: `donjon attest` asks the Keep itself. */
import type { KeepRecord } from "@donjon/client/agent/client";
import { formatAge } from "../output/duration.ts";
import { EXIT } from "../output/exit-codes.ts";
import { createStyle, showSafely } from "../output/style.ts";
import { formatTable } from "../output/table.ts";
import { openAgent } from "./connect.ts";
import type { AgentFlags } from "./options.ts";

export interface PsOptions extends AgentFlags {
  readonly all?: boolean;
  readonly json?: boolean;
}

export async function runPs(options: PsOptions): Promise<number> {
  const keeps = await openAgent(options).listKeeps();
  const shown = keeps
    .filter(({ state }) => options.all || state === "running" || state === "starting")
    .sort((a, b) => b.createdAt - a.createdAt);
  process.stdout.write(
    options.json ? `${JSON.stringify({ keeps: shown })}\n` : describeKeeps(shown, Date.now()),
  );
  if (shown.length === 0 && !options.json)
    process.stderr.write(
      `no Keep runs${keeps.length === 0 ? "" : "; --all lists those that have ended"}\n`,
    );
  return EXIT.ok;
}

const HEAD = ["KEEP", "NAME", "STATE", "BACKEND", "PROTECTION", "AGE", "LISTENS ON"];

function describeKeeps(keeps: readonly KeepRecord[], nowMs: number): string {
  const rows = keeps.map((keep) => [
    keep.id,
    showSafely(keep.name),
    describeState(keep),
    keep.backend,
    keep.protects ? "hardware" : "INSECURE",
    formatAge(nowMs - keep.createdAt),
    showSafely(keep.listeners.map(({ address, port }) => `${address}:${port}`).join(", ")),
  ]);
  return formatTable([HEAD, ...rows], createStyle(process.stdout));
}

/** `health` is the Keep's own word for where it is; the agent's state says only that it is there. */
export function describeState({ state, health, end }: KeepRecord): string {
  if (end !== null) return end.reason;
  return state === "running" && health !== null ? health : state;
}
