/**
 * Ends the Keep at once, whatever its threads do: there is nothing left to save. A signal to itself, because every
 * exit of the engine first joins its threads, and a compiler thread that waits for this one to collect
 * garbage, or is busy with a hostile function, would never be joined.
 */
export function endKeep(): void {
  process.kill(process.pid, "SIGKILL");
}
