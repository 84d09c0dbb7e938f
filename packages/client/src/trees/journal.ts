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
import { checkParents, fail, isReserved, lookAt, STAGE_NAME } from "./host-path.ts";

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

/**
 * Does what the journal says, whether or not parts are done already, then removes the stage. Nothing outside of `root` is
 * touched, whoever wrote the journal: the tree may have come from a stranger, with its stage.
 *
 * @throws DonjonError `files/conflict`, `files/write`
 */
export function runJournal(root: string, onStep: OnStep): void {
  const stage = join(root, STAGE_NAME);
  const device = lookAt(join(root, "."))!.dev;
  for (const part of ["old", "new"]) checkParents(root, `${STAGE_NAME}/${part}/path`, device);
  const journal = readJournal(stage);
  journal.away.forEach((path, index) => {
    const old = join(stage, "old", `${index}`);
    if (lookAt(old) !== null || lookAt(join(root, path)) === null) return;
    checkParents(root, path, device);
    onStep(`move out ${path}`);
    renameSync(join(root, path), old);
  });
  syncDirectory(join(stage, "old"));
  for (const path of journal.put) {
    const fresh = join(stage, "new", path);
    if (lookAt(fresh) === null) continue;
    checkParents(root, `${STAGE_NAME}/new/${path}`, device);
    checkParents(root, path, device);
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

function readJournal(stage: string): Journal {
  const path = join(stage, "journal");
  try {
    const found = lookAt(path)?.isFile() ? JSON.parse(readFileSync(path, "utf8")) : null;
    const { away, put } = found as Record<string, unknown>;
    if (isPathList(away) && isPathList(put)) return { away, put };
  } catch {
    // Told below.
  }
  throw fail(
    "files/conflict",
    `'${path}' is no journal that Donjon wrote; see what is in '${stage}', and move it away`,
  );
}

function isPathList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((path) => typeof path === "string" && isInside(path));
}

/** Whether it is a path below the tree's root as Donjon writes them. */
function isInside(path: string): boolean {
  return !isReserved(path) && path.split("/").every((name) => !["", ".", ".."].includes(name));
}

export function syncDirectory(path: string): void {
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
