/** What a started agent finds: Keeps that ran on, ended meanwhile or are lost, and what was half done. */
import type { KeepHost } from "./keep-host.ts";
import type { Log } from "./log.ts";
import type { KeepStore, StoredKeep } from "./state/keep-store.ts";

export interface Found {
  readonly running: number;
  readonly ended: number;
  readonly lost: number;
  readonly removed: number;
  /** Ids of Keeps that are nobody's yet. */
  readonly pooled: readonly string[];
}

type Outcome = "running" | "ended" | "lost" | "removed" | "pooled" | "kept";

/** Every row and every folder agree afterwards. */
export async function reconcileKeeps(store: KeepStore, host: KeepHost, log: Log): Promise<Found> {
  const keeps = store.list();
  const outcomes = await Promise.all(
    keeps.map(async (keep) => [keep.id, await reconcileKeep(keep, store, host)] as const),
  );
  const known = new Set(keeps.map(({ id }) => id));
  const strays = (await host.listFolders()).filter((id) => !known.has(id));
  await Promise.all(strays.map((id) => host.remove(id)));
  const list = (wanted: Outcome) => outcomes.filter(([, is]) => is === wanted).map(([id]) => id);
  const found = {
    running: list("running").length,
    ended: list("ended").length,
    lost: list("lost").length,
    removed: list("removed").length + strays.length,
    pooled: list("pooled"),
  };
  if (outcomes.length + strays.length > 0)
    log("info", "Keeps found again", { ...found, pooled: found.pooled.length });
  return found;
}

async function reconcileKeep(keep: StoredKeep, store: KeepStore, host: KeepHost): Promise<Outcome> {
  switch (keep.state) {
    case "ended":
    case "lost":
      return "kept";
    case "running":
      try {
        await host.watch(keep.id);
        return "running";
      } catch {
        host.settle(keep.id);
        return store.get(keep.id)?.state === "lost" ? "lost" : "ended";
      }
    case "pooled":
      // One that was being handed out when the agent went is somebody's and nobody's.
      try {
        if (!(await host.inspect(keep.id)).assigned) {
          await host.watch(keep.id);
          return "pooled";
        }
      } catch {
        // It is gone.
      }
      break;
    default:
    // Half made or half removed: nobody was told that it is there, or was told that it will be gone.
  }
  await host.remove(keep.id);
  return "removed";
}
