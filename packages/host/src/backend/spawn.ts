/** Starts a Keep's program with the descriptors that it is meant to have, and no others. */
import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync } from "node:fs";

type Slot = "pipe" | "ignore" | number;

export interface SpawnApartOptions {
  readonly cwd: string;
  /** What the program gets, by number. */
  readonly stdio: readonly Slot[];
}

/** The engine marks what it inherited close-on-exec, but only up to the first number that is free after this one. */
const LAST_MARKED = 15;
const O_CLOEXEC = 0o2000000;
/** A line of `/proc/PID/fdinfo/N` (proc(5)), the number in octal. No pattern: this is on the way of every start. */
const FLAGS = "flags:";

/**
 * In a session of its own: the terminal's Ctrl-C is for the command, which then asks the Keep to stop. Without environment.
 * What this process inherited without close-on-exec (a shell's `<(...)` is such a descriptor) becomes `/dev/null` there:
 * the engine cannot close it for a child, but it can put another in its place.
 */
export function spawnApart(
  program: string,
  args: readonly string[],
  { cwd, stdio }: SpawnApartOptions,
): ChildProcess {
  const options = { cwd, env: {}, detached: true } satisfies SpawnOptions;
  const inherited = listInherited();
  if (inherited.length === 0) return spawn(program, args, { ...options, stdio: [...stdio] });
  const nothing = openSync("/dev/null", "r");
  try {
    const slots: Slot[] = Array(Math.max(...inherited) + 1).fill("ignore");
    slots.splice(0, stdio.length, ...stdio);
    for (const descriptor of inherited) slots[descriptor] = nothing;
    return spawn(program, args, { ...options, stdio: slots });
  } finally {
    closeSync(nothing);
  }
}

/** Ends the program and everything in its process group at once. */
export function killGroup(child: ChildProcess): void {
  // Once it has ended, its number may be somebody else's.
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // It went by itself.
  }
}

function listInherited(): number[] {
  return readdirSync("/proc/self/fd")
    .map(Number)
    .filter((descriptor) => descriptor > LAST_MARKED && isInheritable(descriptor));
}

function isInheritable(descriptor: number): boolean {
  try {
    const text = readFileSync(`/proc/self/fdinfo/${descriptor}`, "utf8");
    const flags = Number.parseInt(text.slice(text.indexOf(FLAGS) + FLAGS.length), 8);
    return (flags & O_CLOEXEC) === 0;
  } catch {
    // It was the list's own.
    return false;
  }
}
