/** Ends wardens and their Keeps, those that answer and those that do not. */
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { openWarden } from "./call.ts";
import { type KeepFolder, readProcesses } from "./folder.ts";
import { isRunning, listDescendants, type ProcessMark } from "./process-tree.ts";

/** Time that a warden has to go once it was asked to. */
const STOP_MS = 5_000;
/** Time that the kernel has to take away what was killed. */
const KILL_MS = 5_000;
const LOOK_MS = 3;

/** Resolves when the Keep and its warden are gone, whether or not the warden answered. */
export async function endWarden(folder: KeepFolder): Promise<void> {
  const asked = await askToStop(folder);
  const marks = readProcesses(folder).filter(isRunning);
  if (asked) await untilGone(marks, STOP_MS);
  const left: ProcessMark[] = marks
    .filter(isRunning)
    .flatMap((mark) => [mark, ...listDescendants(mark.pid)]);
  for (const mark of left) kill(mark);
  await untilGone(left, KILL_MS);
}

/** Answers `false` when the warden cannot be reached. */
async function askToStop(folder: KeepFolder): Promise<boolean> {
  try {
    const { socket } = await openWarden(folder, { do: "stop" });
    const timer = setTimeout(() => socket.destroy(), STOP_MS);
    socket.resume();
    if (!socket.closed) await once(socket, "close");
    clearTimeout(timer);
    return true;
  } catch {
    return false;
  }
}

/** Nobody tells of the end of another's process: it is looked for. */
async function untilGone(marks: readonly ProcessMark[], limitMs: number): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (marks.some(isRunning) && performance.now() < deadline) await delay(LOOK_MS);
}

/** By id and start time, so that nobody else is hit. */
function kill(mark: ProcessMark): void {
  if (!isRunning(mark)) return;
  try {
    process.kill(mark.pid, "SIGKILL");
  } catch {
    // It went by itself.
  }
}
