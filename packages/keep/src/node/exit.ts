/** The engine's own call, kept from before `dropSignals`, and for this process alone. */
const { pid, _kill: signal } = process as unknown as {
  readonly pid: number;
  readonly _kill: (pid: number, signal: number) => number;
};
const SIGKILL = 9;

/**
 * Ends the Keep at once, whatever its threads do: there is nothing left to save. A signal to itself, because every
 * exit of the engine first joins its threads, and a compiler thread that waits for this one to collect
 * garbage, or is busy with a hostile function, would never be joined.
 */
export function endKeep(): void {
  signal(pid, SIGKILL);
}

/**
 * Takes away what sends signals to any process of the Keep's user: the permission model does not ask. For the calling thread, and
 * for good; a worker begins with all of it again (docs/decisions/0003).
 */
export function dropSignals(): void {
  for (const name of ["kill", "_kill", "_debugProcess"]) Reflect.deleteProperty(process, name);
}
