/** Writing a workload's changes back to the owner's directory, all or nothing. */
import {
  chmodSync,
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { MAX_TREE_BYTES } from "@donjon/protocol/limits";
import {
  type PackedTree,
  parentPath,
  type TreeEntry,
  type TreeFile,
} from "@donjon/wasi/files/packed-tree";
import { parseTree } from "@donjon/wasi/files/parse-tree";
import { checkParents, fail, failWith, isReserved, lookAt, RESERVED_PREFIX } from "./host-path.ts";
import { type Journal, type OnStep, runJournal, syncDirectory, writeJournal } from "./journal.ts";
import { findChange, findChangeBelow, type TreeMarks } from "./mark.ts";
import { createStage, type Stage } from "./recover.ts";

export interface StageOptions {
  readonly onProgress?: (done: number, total: number) => void;
  readonly onStep?: OnStep;
}

/** Changes that lie complete and synced beside the files they will replace. */
export interface StagedChanges {
  /** Paths that the commit touches. */
  readonly count: number;
  /** Throws `files/conflict` when the host tree changed meanwhile; the staged result is kept and named. */
  commit(): void;
  /** Forgets the changes; the tree is as it was. */
  discard(): void;
}

/**
 * Writes the changes to `ROOT/.donjon-changes`. Nothing else is touched: whatever fails here, a full
 * disk for example, leaves the tree as it was.
 *
 * @param bytes changes in the packed form, made by a guest
 * @param marks of `scanTree`, taken when the tree was sent
 * @throws DonjonError `files/write`, `files/conflict`, and those of `parseTree`
 */
export function stageChanges(
  root: string,
  bytes: Uint8Array,
  marks: TreeMarks,
  options: StageOptions = {},
): StagedChanges {
  const onStep = options.onStep ?? (() => {});
  const changes = readChanges(root, bytes);
  const { path: stage, release } = stageOrFail(root, () => createStage(root));
  const discard = () => {
    rmSync(stage, { recursive: true, force: true });
    release();
  };
  let journal: Journal;
  try {
    writeStage(root, stage, changes, { ...options, onStep });
    journal = planJournal(root, changes.entries);
  } catch (cause) {
    discard();
    throw failWith("files/write", `writing changes to '${root}' (it is as it was)`, cause);
  }
  return {
    count: journal.away.length + journal.put.length,
    commit() {
      release();
      const conflict = findConflict(root, journal, marks);
      if (conflict !== null) throw keepConflict(root, stage, conflict, journal);
      try {
        writeJournal(root, journal, onStep);
      } catch (cause) {
        discard();
        throw failWith("files/write", `writing changes to '${root}' (it is as it was)`, cause);
      }
      try {
        runJournal(root, onStep);
      } catch (cause) {
        throw failWith(
          "files/write",
          `'${root}' is half written; the next run on it finishes: moving the files in`,
          cause,
        );
      }
    },
    discard,
  };
}

function stageOrFail(root: string, create: () => Stage): Stage {
  try {
    return create();
  } catch (cause) {
    throw failWith("files/write", `preparing changes to '${root}' (it is as it was)`, cause);
  }
}

function readChanges(root: string, bytes: Uint8Array): PackedTree {
  const changes = parseTree(bytes, { maxBytes: MAX_TREE_BYTES });
  if (!changes.changes)
    throw fail("bytes/invalid", "the Keep sent a whole tree where changes are wanted");
  const reserved = changes.entries.find(({ path }) => isReserved(path));
  if (reserved) {
    throw fail(
      "files/write",
      `the workload made '${reserved.path}', and names at the top that start with '${RESERVED_PREFIX}' are Donjon's own; '${root}' is as it was`,
    );
  }
  return changes;
}

/** Everything under `new`, at the path it will have. */
function writeStage(
  root: string,
  stage: string,
  changes: PackedTree,
  options: StageOptions & { onStep: OnStep },
): void {
  const fresh = join(stage, "new");
  const directories = new Set([fresh]);
  let done = 0;
  for (const entry of changes.entries) {
    if (entry.kind === "removed") continue;
    const path = join(fresh, entry.path);
    makeParents(dirname(path), directories);
    options.onStep(`stage ${entry.path}`);
    if (entry.kind === "directory") {
      mkdirSync(path);
      directories.add(path);
    } else if (entry.kind === "symlink") symlinkSync(entry.target, path);
    else if (entry.kind === "link") linkSync(join(fresh, entry.to), path);
    else writeFile(path, changes.contentOf(entry), chooseMode(root, entry));
    done += entry.kind === "file" ? entry.size : 0;
    options.onProgress?.(done, changes.length);
  }
  for (const directory of directories) syncDirectory(directory);
}

/**
 * Parents that stay where they are exist here only as a way to their children. Each is looked at: where case does not
 * count in names, a link that the guest made may stand in the place of one.
 */
function makeParents(path: string, made: Set<string>): void {
  if (made.has(path)) return;
  makeParents(dirname(path), made);
  if (lookAt(path) === null) mkdirSync(path);
  if (!lookAt(path)?.isDirectory()) throw fail("files/write", `'${path}' is no directory`);
  made.add(path);
}

function writeFile(path: string, content: Uint8Array, mode: number | null): void {
  const fd = openSync(path, "wx");
  try {
    for (let done = 0; done < content.length; ) done += writeSync(fd, content, done);
    if (mode !== null) chmodSync(path, mode);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Permissions stay as they were; a guest has a say in the executable bit only. `null`: the default. */
function chooseMode(root: string, entry: TreeFile): number | null {
  const stat = lookAt(join(root, entry.path));
  if (stat?.isFile()) {
    const mode = Number(stat.mode) & 0o777;
    if (entry.executable === ((mode & 0o111) !== 0)) return mode;
    return entry.executable ? mode | ((mode & 0o444) >> 2) : mode & ~0o111;
  }
  return entry.executable ? 0o777 & ~process.umask() : null;
}

function planJournal(root: string, entries: readonly TreeEntry[]): Journal {
  const device = lookAt(join(root, "."))!.dev;
  const away: string[] = [];
  const put: string[] = [];
  const whole = new Set<string>();
  for (const entry of entries) {
    const { path, kind } = entry;
    if (isBelow(path, whole)) continue;
    checkParents(root, path, device);
    const stat = lookAt(join(root, path));
    const isDirectory = stat?.isDirectory() ?? false;
    if (kind === "removed") away.push(path);
    else if (kind !== "directory") {
      if (isDirectory) away.push(path);
      put.push(path);
    } else if (!isDirectory) {
      if (stat !== null) away.push(path);
      put.push(path);
      whole.add(path);
    }
  }
  return { away, put };
}

/** Whether a new directory that moves in as a whole brings `path` with it. */
function isBelow(path: string, whole: ReadonlySet<string>): boolean {
  for (let at = parentPath(path); at !== ""; at = parentPath(at)) if (whole.has(at)) return true;
  return false;
}

function findConflict(root: string, journal: Journal, marks: TreeMarks): string | null {
  for (const path of [...journal.away, ...journal.put]) {
    for (let at = parentPath(path); at !== ""; at = parentPath(at))
      if (!lookAt(join(root, at))?.isDirectory()) return at;
  }
  for (const path of journal.away) {
    const changed = findChangeBelow(root, path, marks);
    if (changed !== null) return changed;
  }
  const away = new Set(journal.away);
  for (const path of journal.put) {
    const changed = away.has(path) ? null : findChange(root, path, marks);
    if (changed !== null) return changed;
  }
  return null;
}

/** Sets the staged result aside, where neither the next run nor a packer takes it. */
function keepConflict(root: string, stage: string, path: string, journal: Journal): Error {
  const taken = new Set(readdirSync(root));
  let number = 1;
  while (taken.has(`${RESERVED_PREFIX}conflict-${number}`)) number++;
  const kept = join(root, `${RESERVED_PREFIX}conflict-${number}`);
  rmSync(join(stage, "owner"), { force: true });
  if (journal.away.length > 0) {
    writeFileSync(join(stage, "removed"), journal.away.map((gone) => `${gone}\n`).join(""));
  }
  renameSync(stage, kept);
  return fail(
    "files/conflict",
    `'${path}' in '${root}' was changed by someone else while the workload ran; '${root}' is left as it is, and the workload's result is kept in '${join(kept, "new")}'`,
  );
}
