/** What an earlier write-back left behind when it was cut off. */
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fail, failWith, lookAt, RESERVED_PREFIX, STAGE_NAME } from "./host-path.ts";
import { type OnStep, runJournal } from "./journal.ts";

/**
 * Finishes a write-back that was committed and cut off (`finished`), or removes what is left of one
 * that was not committed, or had come to its end (`removed`).
 *
 * @throws DonjonError `files/conflict` while another process writes there, `files/write`
 */
export function recoverTree(
  root: string,
  onStep: OnStep = () => {},
): "clean" | "finished" | "removed" {
  const stage = join(root, STAGE_NAME);
  if (lookAt(stage) === null) return "clean";
  try {
    if (ours.has(identify(stage)) || isAlive(readOwner(stage))) {
      throw fail("files/conflict", `another run writes its changes to '${root}' now; wait for it`);
    }
    if (lookAt(join(stage, "journal")) === null) {
      onStep("remove stage");
      rmSync(stage, { recursive: true, force: true });
      return "removed";
    }
    runJournal(root, onStep);
    return "finished";
  } catch (cause) {
    throw failWith("files/write", `finishing the earlier changes in '${stage}'`, cause);
  }
}

/** Stages of this process that are neither committed nor discarded. */
const ours = new Set<string>();

export interface Stage {
  readonly path: string;
  /** To be called when it is committed or discarded: from then on whoever comes may recover it. */
  release(): void;
}

/** Makes the stage; only one run can have it, of this process or another. */
export function createStage(root: string): Stage {
  recoverTree(root);
  const stage = join(root, STAGE_NAME);
  const draft = mkdtempSync(join(root, `${RESERVED_PREFIX}start-`));
  try {
    writeFileSync(join(draft, "owner"), describeProcess(process.pid));
    mkdirSync(join(draft, "new"));
    // Takes the name only when nobody has it: a directory with something in it is never replaced.
    renameSync(draft, stage);
  } catch (cause) {
    rmSync(draft, { recursive: true, force: true });
    throw cause;
  }
  const identity = identify(stage);
  ours.add(identity);
  return { path: stage, release: () => ours.delete(identity) };
}

/** The same directory may be reached by several paths. */
function identify(path: string): string {
  const stat = lookAt(path);
  return stat === null ? "" : `${stat.dev}:${stat.ino}`;
}

function readOwner(stage: string): string {
  const path = join(stage, "owner");
  try {
    return lookAt(path)?.isFile() ? readFileSync(path, "utf8") : "";
  } catch {
    return "";
  }
}

function isAlive(owner: string): boolean {
  const pid = Number.parseInt(owner, 10);
  return pid > 0 && pid !== process.pid && owner === describeProcess(pid);
}

/** Process id and start time: an id alone comes back after a while. */
function describeProcess(pid: number): string {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)!.split(" ");
    return `${pid} ${fields[19]}`;
  } catch {
    return "";
  }
}
