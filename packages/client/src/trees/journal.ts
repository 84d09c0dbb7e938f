/**
 * The commit of a write-back, as redo: the journal says what has to happen, each step can be done
 * twice, and the journal's own rename is the moment when the new tree counts.
 *
 *     ROOT/.donjon-changes/new/PATH   what comes in, fully written and synced
 *     ROOT/.donjon-changes/old/N      what went out, until the end
 *     ROOT/.donjon-changes/journal    present: finish; absent: nothing has happened, throw away
 */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { lookAt, STAGE_NAME } from "./host-path.ts";

export interface Journal {
  /** Paths that are moved out first; their place in the list is their name in `old`. */
  readonly away: readonly string[];
  /** Paths that are moved in from `new`, parents before children. */
  readonly put: readonly string[];
}

/** Called before each change on disk; tests stop the process there. */
export type OnStep = (step: string) => void;

/** From here on the new tree counts, whatever happens. */
export function writeJournal(root: string, journal: Journal, onStep: OnStep): void {
  const stage = join(root, STAGE_NAME);
  mkdirSync(join(stage, "old"));
  onStep("write journal");
  const draft = join(stage, "journal.draft");
  writeFileSync(draft, JSON.stringify(journal), { flush: true });
  onStep("sync stage");
  syncDirectory(stage);
  onStep("commit");
  renameSync(draft, join(stage, "journal"));
  syncDirectory(stage);
}

/** Does what the journal says, whether or not parts are done already, then removes the stage. */
export function runJournal(root: string, onStep: OnStep): void {
  const stage = join(root, STAGE_NAME);
  const journal = JSON.parse(readFileSync(join(stage, "journal"), "utf8")) as Journal;
  journal.away.forEach((path, index) => {
    const old = join(stage, "old", `${index}`);
    if (lookAt(old) !== null || lookAt(join(root, path)) === null) return;
    onStep(`move out ${path}`);
    renameSync(join(root, path), old);
  });
  syncDirectory(join(stage, "old"));
  for (const path of journal.put) {
    const fresh = join(stage, "new", path);
    if (lookAt(fresh) === null) continue;
    onStep(`move in ${path}`);
    renameSync(fresh, join(root, path));
  }
  const touched = [...journal.away, ...journal.put].map((path) => dirname(join(root, path)));
  for (const directory of new Set(touched))
    if (lookAt(directory)?.isDirectory()) syncDirectory(directory);
  // The journal goes first: with it, a part of `old` that is gone already would be moved out again.
  onStep("end journal");
  rmSync(join(stage, "journal"));
  syncDirectory(stage);
  onStep("remove stage");
  rmSync(stage, { recursive: true, force: true });
}

export function syncDirectory(path: string): void {
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
