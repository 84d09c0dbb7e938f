/** Watches a Keep for the limits that it was given, and for its own folder, without which nobody can reach it. */
import { existsSync } from "node:fs";
import type { EndReason, KeepLimits } from "@donjon/protocol/agent/keep-record";
import { listDescendants, type ProcessMark, readResidentBytes } from "./process-tree.ts";

const TICK_MS = 1_000;
/** A Keep's processes hardly change; looking for new ones reads the whole of /proc. */
const TICKS_PER_SEARCH = 30;

export type TimeAndMemory = Pick<KeepLimits, "lifetimeMs" | "memoryBytes">;

export interface WatchOptions {
  readonly limits: TimeAndMemory;
  /** File that is there as long as the Keep has a record. */
  readonly anchor: string;
  /** Its descendants are the Keep. */
  readonly rootPid: number;
  /** Called once, with a sentence. */
  onBreach(reason: EndReason, detail: string): void;
}

/** Answers what ends the watch. */
export function watchKeep({ limits, anchor, rootPid, onBreach }: WatchOptions): () => void {
  const { lifetimeMs, memoryBytes } = limits;
  const started = performance.now();
  let processes: readonly ProcessMark[] = [];
  let changed = false;
  let tick = 0;
  const check = (): readonly [EndReason, string] | null => {
    if (!existsSync(anchor)) return ["failed", "its folder is gone"];
    if (lifetimeMs !== null && performance.now() - started >= lifetimeMs)
      return ["lifetime", `it lived for ${lifetimeMs} ms, its limit`];
    if (memoryBytes === null) return null;
    if (tick % TICKS_PER_SEARCH === 0 || changed) processes = listDescendants(rootPid);
    const sizes = processes.map(readResidentBytes);
    changed = sizes.includes(0);
    const used = sizes.reduce((sum, size) => sum + size, 0);
    if (used <= memoryBytes) return null;
    return ["memory", `it had ${used} bytes in memory, and its limit is ${memoryBytes}`];
  };
  const look = () => {
    const breach = check();
    tick += 1;
    if (breach === null) return;
    end();
    onBreach(...breach);
  };
  const timer = setInterval(look, TICK_MS);
  // A life that is shorter than a tick is not longer for that.
  const first =
    lifetimeMs === null || lifetimeMs > TICK_MS ? undefined : setTimeout(look, lifetimeMs + 1);
  const end = () => {
    clearInterval(timer);
    clearTimeout(first);
  };
  return end;
}
