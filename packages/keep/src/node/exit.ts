/**
 * Ends the Keep at once, whatever the workload's threads do. `reallyExit` skips exit handlers and the joining of
 * workers: a guest that spins could hold up `process.exit`, and there is nothing left to save.
 */
export function endKeep(code: number): never {
  return (process as unknown as { reallyExit(code: number): never }).reallyExit(code);
}

/**
 * Exit codes of the Keep's process. Never 1: the backend takes 1 as "bubblewrap could not start it"
 * (host, backend/process).
 */
export const KEEP_EXIT = { over: 0, defect: 70 } as const;
