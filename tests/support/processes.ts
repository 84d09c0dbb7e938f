/** Looks at the machine's processes through /proc, and waits for what they do. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

/** A process by its id and its start time: an id alone comes back after a while. */
export interface ProcessMark {
  readonly pid: number;
  readonly startTime: string;
}

/** Polls until `check` answers something other than `undefined`, `null` or `false`. */
export async function until<T>(
  what: string,
  check: () => T | Promise<T>,
  timeoutMs = 10_000,
): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const found = await check();
    if (found !== undefined && found !== null && found !== false) return found as NonNullable<T>;
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await delay(5);
  }
}

/** Fields of /proc/PID/stat after the name; `null`: no such process, or only its exit status is left. */
function readStat(pid: number): string[] | null {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)!.split(" ");
    return fields[0] === "Z" ? null : fields;
  } catch {
    return null;
  }
}

/** All processes below `root`, `root` included. */
export function listTree(root: number): ProcessMark[] {
  const children = new Map<number, ProcessMark[]>();
  const marks = new Map<number, ProcessMark>();
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    const stat = Number.isInteger(pid) ? readStat(pid) : null;
    if (stat === null) continue;
    const mark = { pid, startTime: stat[19]! };
    marks.set(pid, mark);
    const parent = Number(stat[1]);
    children.set(parent, [...(children.get(parent) ?? []), mark]);
  }
  const tree: ProcessMark[] = [];
  const waiting = marks.has(root) ? [marks.get(root)!] : [];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    tree.push(at);
    waiting.push(...(children.get(at.pid) ?? []));
  }
  return tree;
}

export function isAlive({ pid, startTime }: ProcessMark): boolean {
  return readStat(pid)?.[19] === startTime;
}

/** The Keep's engine below the command `root`, once it is there. */
export function findKeep(root: number): Promise<ProcessMark> {
  return until("the Keep's engine runs", () =>
    listTree(root).find(({ pid }) => pid !== root && isEngine(pid)),
  );
}

function isEngine(pid: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/exe`).endsWith("/node") || isNamedEngine(pid);
  } catch {
    return isNamedEngine(pid);
  }
}

function isNamedEngine(pid: number): boolean {
  try {
    return /^(\/keep\/engine|[^\0]*\/bin\/node)\0/.test(
      readFileSync(`/proc/${pid}/cmdline`, "utf8"),
    );
  } catch {
    return false;
  }
}

/** Bytes of memory in use now. */
export function residentBytes({ pid }: ProcessMark): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return match === null ? 0 : Number(match[1]) * 1024;
}

/** Milliseconds of CPU so far, in steps of a clock tick (10 ms). */
export function cpuMs({ pid }: ProcessMark): number {
  const stat = readStat(pid);
  return stat === null ? 0 : (Number(stat[11]) + Number(stat[12])) * 10;
}

/** Resolves when the CPU time of a process stands still: it waits for something outside. */
export async function untilAtRest(mark: ProcessMark): Promise<void> {
  let seen = -1;
  let same = 0;
  await until(`process ${mark.pid} rests`, () => {
    const now = cpuMs(mark);
    same = now === seen ? same + 1 : 0;
    seen = now;
    return same >= 20;
  });
}

/** Descriptors that a process has open. */
export function countDescriptors({ pid }: ProcessMark): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** Resolves when all are gone. */
export function untilGone(marks: readonly ProcessMark[], timeoutMs = 2000): Promise<unknown> {
  return until(
    `processes ${marks.map(({ pid }) => pid).join(", ")} are gone`,
    () => !marks.some(isAlive),
    timeoutMs,
  );
}
