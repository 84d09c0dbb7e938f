/** Starts a worker, from the bundle that the Keep runs or from the sources. */
import { Worker } from "node:worker_threads";
import type { WorkerBoot } from "./messages.ts";

/** The bundled text of `worker.ts`, put in by the build: the Keep may read no file. */
declare const DONJON_WORKER_SOURCE: string | undefined;

/** Stack of a worker: deep recursion in interpreters and compilers needs more than the engine's 4 MiB. */
const STACK_MB = 16;

export function startWorker(boot: WorkerBoot, heapMb: number): Worker {
  const bundled = typeof DONJON_WORKER_SOURCE === "string";
  return new Worker(bundled ? DONJON_WORKER_SOURCE : new URL("./worker.ts", import.meta.url), {
    eval: bundled,
    workerData: boot,
    // Nothing of the Keep's own process is visible in the worker.
    env: {},
    argv: [],
    // Kept from the Keep's own streams, whose set-up costs milliseconds. Nothing is written there: the
    // engine's fatal words go to descriptor 2 by themselves, and failures come as events.
    stdout: true,
    stderr: true,
    resourceLimits: { stackSizeMb: STACK_MB, maxOldGenerationSizeMb: heapMb },
  });
}
