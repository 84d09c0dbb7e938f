/** Changed trees back to their directories: all are staged before the first is committed. */
import type { TreeBytes } from "@donjon/client/session";
import { type StagedChanges, stageChanges } from "@donjon/client/trees/write-back";
import { DonjonError } from "@donjon/core/errors";
import type { Progress } from "../output/progress.ts";
import type { WritableTree } from "./prepare.ts";

export interface Written {
  readonly host: string;
  /** Paths that changed. */
  readonly paths: number;
}

/** @throws DonjonError `files/write`, `files/conflict`, `session/protocol` for a tree that was not granted */
export function deliverChanges(
  changes: readonly TreeBytes[],
  writable: readonly WritableTree[],
  progress: Progress,
): Written[] {
  const staged: { host: string; changes: StagedChanges }[] = [];
  try {
    for (const { guest, bytes } of changes) {
      const tree = writable.find((known) => known.guest === guest)?.tree;
      if (tree === undefined) {
        throw new DonjonError(
          "session/protocol",
          `the Keep sent changes for '${guest}', which was not granted read-write`,
        );
      }
      progress.begin(`writing ${tree.root}`);
      const onProgress = (done: number, total: number) => progress.update(done, total);
      staged.push({
        host: tree.root,
        changes: stageChanges(tree.root, bytes, tree.marks, { onProgress }),
      });
    }
  } catch (error) {
    for (const { changes: stage } of staged) stage.discard();
    throw error;
  } finally {
    progress.end();
  }
  for (const { changes: stage } of staged) stage.commit();
  return writable.map(({ tree: { root } }) => ({
    host: root,
    paths: staged.find(({ host }) => host === root)?.changes.count ?? 0,
  }));
}
