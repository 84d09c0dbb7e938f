/** The processes of a Keep, through /proc: who they are, and how much memory they have. */
import { readdirSync, readFileSync } from "node:fs";

/** A process by its id and its start time: an id alone comes back after a while. */
export interface ProcessMark {
  readonly pid: number;
  /** In clock ticks since the machine's start, as /proc says it. */
  readonly startTime: string;
}

/** Of the kernel on x86-64. */
const PAGE_BYTES = 4096;

/** `null`: there is no such process any more, or only its exit status is left. */
export function markProcess(pid: number): ProcessMark | null {
  const fields = readStat(pid);
  return fields === null ? null : { pid, startTime: fields[19]! };
}

export function isRunning({ pid, startTime }: ProcessMark): boolean {
  return readStat(pid)?.[19] === startTime;
}

/** Everything that `root` started, without itself. */
export function listDescendants(root: number): ProcessMark[] {
  const children = new Map<number, ProcessMark[]>();
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    const fields = Number.isInteger(pid) ? readStat(pid) : null;
    if (fields === null) continue;
    const parent = Number(fields[1]);
    const mark = { pid, startTime: fields[19]! };
    children.set(parent, [...(children.get(parent) ?? []), mark]);
  }
  const found: ProcessMark[] = [];
  const waiting = [root];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    for (const child of children.get(at) ?? []) {
      found.push(child);
      waiting.push(child.pid);
    }
  }
  return found;
}

/** Octets in memory now, files it shares with others included; 0 when it is gone. */
export function readResidentBytes(mark: ProcessMark): number {
  if (!isRunning(mark)) return 0;
  try {
    const pages = readFileSync(`/proc/${mark.pid}/statm`, "latin1").split(" ")[1];
    return Number(pages) * PAGE_BYTES;
  } catch {
    return 0;
  }
}

/** Fields of /proc/PID/stat after the name (proc(5) counts them from 3). */
function readStat(pid: number): string[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = text.slice(text.lastIndexOf(") ") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? null : fields;
  } catch {
    return null;
  }
}
