/** A run joined to this process: its streams, its signals, its end. The same for every kind of session. */
import type { Run, RunResult } from "@donjon/client/session";
import { DonjonError } from "@donjon/core/errors";
import { EXIT } from "../output/exit-codes.ts";
import { openOutput, openStdin, pipeOutput } from "./stdio.ts";

export interface Driven {
  readonly result: RunResult;
  /** The signal or the broken pipe that decides the exit code, `null` when the outcome does. */
  readonly forced: number | null;
}

export interface DriveOptions {
  /** Whether this process's stdin is the run's. */
  readonly stdin: boolean;
  /** Ends what runs at once, whatever the run does: the second Ctrl-C. */
  readonly kill: () => void;
  /** The error to tell in place of one that only says that the session ended. */
  readonly explain: (error: unknown) => Promise<unknown>;
}

/** Time for output that is under way after a signal; who does not read then does not get it. */
const FLUSH_AFTER_SIGNAL_MS = 500;

/** Exit codes of a command that a signal ended. */
export const SIGNAL_EXITS = {
  SIGINT: EXIT.interrupted,
  SIGTERM: EXIT.terminated,
  SIGHUP: 129,
} as const;

/** What came from outside and ends the run. */
interface Ending {
  code: number | null;
  /** What to tell besides the exit code. */
  error: DonjonError | null;
  /** Settles soon after a signal, whether or not anybody reads. */
  readonly cutOff: Promise<void>;
  readonly cut: () => void;
}

/** The run was cut off from outside: quiet, with this exit code. */
export class Interrupted extends Error {
  readonly exitCode: number;

  constructor(exitCode: number) {
    super(`interrupted with ${exitCode}`);
    this.exitCode = exitCode;
  }
}

/** Resolves when the run is over and its output is out. Throws `Interrupted`, `DonjonError`. */
export async function driveRun(run: Run, options: DriveOptions): Promise<Driven> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const ending: Ending = { code: null, error: null, cutOff: promise, cut: resolve };
  const release = handleSignals(run, options.kill, ending);
  try {
    const flushed = connectStdio(run, options.stdin, ending);
    const result = await run.result;
    await Promise.race([flushed, ending.cutOff]);
    if (ending.error !== null) throw ending.error;
    return { result, forced: ending.code };
  } catch (error) {
    if (ending.error !== null) throw ending.error;
    if (ending.code !== null) throw new Interrupted(ending.code);
    throw await options.explain(error);
  } finally {
    // After a signal they stay to the end: one more must not change the exit code.
    if (ending.code === null) release();
  }
}

/** Ctrl-C once asks the workload to stop, twice ends the Keep. Answers what puts the handlers away. */
function handleSignals(run: Run, kill: () => void, ending: Ending): () => void {
  return onSignals((code) => {
    const again = ending.code !== null;
    ending.code = code;
    if (again) {
      kill();
      ending.cut();
    } else {
      run.stop("interrupt");
      run.result.finally(() => setTimeout(ending.cut, FLUSH_AFTER_SIGNAL_MS)).catch(() => {});
    }
  });
}

/** Calls back with the exit code of each signal that ends a command. Answers what puts the handlers away. */
export function onSignals(handle: (exitCode: number) => void): () => void {
  const handlers = Object.entries(SIGNAL_EXITS).map(([signal, code]) => {
    const handler = () => handle(code);
    process.on(signal, handler);
    return () => process.off(signal, handler);
  });
  return () => {
    for (const off of handlers) off();
  };
}

/** Resolves when all output is out. */
async function connectStdio(run: Run, hasStdin: boolean, ending: Ending): Promise<void> {
  if (hasStdin) {
    const stdin = openStdin();
    stdin.on("error", () => run.stdin.end());
    stdin.pipe(run.stdin);
  } else run.stdin.end();
  const broken = (error: Error) => {
    // A native program would get SIGPIPE here.
    if ((error as NodeJS.ErrnoException).code === "EPIPE") ending.code ??= EXIT.brokenPipe;
    else
      ending.error ??= new DonjonError(
        "files/write",
        `the output cannot be written: ${error.message}`,
        { cause: error },
      );
    run.stop("kill");
  };
  await Promise.all([
    pipeOutput(run.stdout, openOutput(1), broken),
    pipeOutput(run.stderr, openOutput(2), broken),
  ]);
}
