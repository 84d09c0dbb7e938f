/** A run joined to this process: its streams, its signals, its end. The same for every kind of session. */
import type { Readable } from "node:stream";
import type { Run, RunResult } from "@donjon/client/session";
import { DonjonError } from "@donjon/core/errors";
import { explainSystemError } from "@donjon/core/system-error";
import type { StopHow } from "@donjon/protocol/session/outcome";
import { EXIT } from "../output/exit-codes.ts";
import { printFailure } from "../output/failure.ts";
import { watchSilence } from "./silence.ts";
import { openOutput, openStdin, pipeOutput } from "./stdio.ts";

export interface Driven {
  readonly result: RunResult;
  /** The signal or the broken pipe that decides the exit code, `null` when the outcome does. */
  readonly forced: number | null;
}

export interface DriveOptions {
  /** Whether this process's stdin is the run's. */
  readonly stdin: boolean;
  /** Ends what runs at once, whatever the run does: the second Ctrl-C, or the end of `graceMs`. */
  readonly kill: () => void | Promise<void>;
  /** Time limit of the workload, `null` for none. */
  readonly timeMs: number | null;
  /** Time that the Keep has to end the run after a signal or after `timeMs`, unless it is still sending. */
  readonly graceMs: number;
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
  /** The Keep is being killed because it did not end by itself. */
  givingUp: boolean;
  /** Rejects once it was. */
  readonly givenUp: PromiseWithResolvers<never>;
}

/** The run was cut off from outside, with this exit code: quiet, unless there is a failure to tell. */
export class Interrupted extends Error {
  readonly exitCode: number;
  readonly failure: DonjonError | null;

  constructor(exitCode: number, failure: DonjonError | null = null) {
    super(`interrupted with ${exitCode}`);
    this.exitCode = exitCode;
    this.failure = failure;
  }

  /** Says what there is to say, and answers the exit code. */
  tell(command: string, { json = false }: { readonly json?: boolean }): number {
    if (this.failure !== null) printFailure(this.failure, json, command);
    return this.exitCode;
  }
}

/** Resolves when the run is over and its output is out. Throws `Interrupted`, `DonjonError`. */
export async function driveRun(run: Run, options: DriveOptions): Promise<Driven> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const givenUp = Promise.withResolvers<never>();
  givenUp.promise.catch(() => {});
  const ending: Ending = {
    code: null,
    error: null,
    cutOff: promise,
    cut: resolve,
    givingUp: false,
    givenUp,
  };
  const release = handleSignals(run, options, ending);
  const unwatch = watchTime(run, options, ending);
  try {
    const flushed = connectStdio(run, options, ending);
    const result = await Promise.race([run.result, givenUp.promise]);
    unwatch();
    await Promise.race([flushed, ending.cutOff]);
    if (ending.error !== null) throw ending.error;
    return { result, forced: ending.code };
  } catch (error) {
    if (ending.error !== null) throw ending.error;
    // The session of a Keep at an agent ends while it is being killed, and before the agent says that it is gone.
    if (ending.givingUp) await givenUp.promise;
    if (error instanceof Interrupted) throw error;
    if (ending.code !== null) throw new Interrupted(ending.code);
    throw await options.explain(error);
  } finally {
    unwatch();
    // After a signal they stay to the end: one more must not change the exit code.
    if (ending.code === null) release();
  }
}

/** Ctrl-C once asks the workload to stop, twice ends the Keep. Answers what puts the handlers away. */
function handleSignals(run: Run, options: DriveOptions, ending: Ending): () => void {
  return onSignals((code) => {
    const again = ending.code !== null;
    ending.code = code;
    if (again) {
      options.kill();
      ending.cut();
    } else {
      stopRun(run, "interrupt", options, ending);
      run.result.finally(() => setTimeout(ending.cut, FLUSH_AFTER_SIGNAL_MS)).catch(() => {});
    }
  });
}

/** Asks the Keep to stop the run. One that does not is ended. */
function stopRun(run: Run, how: StopHow, { kill, graceMs }: DriveOptions, ending: Ending): void {
  run.stop(how);
  const unwatch = watchSilence({
    graceMs,
    // Changed trees may be on their way already; output has no claim on more time.
    heard: () => run.received.trees,
    onSilent: () => giveUp(kill, ending, null, `${graceMs / 1000} s after it was asked to`),
  });
  run.result.then(unwatch, unwatch);
}

/** The Keep itself ends a workload whose time is over. One that cannot is ended here. Answers what ends the watch. */
function watchTime(run: Run, { kill, timeMs, graceMs }: DriveOptions, ending: Ending): () => void {
  if (timeMs === null) return () => {};
  let unwatch = () => {};
  let over = false;
  const begin = () => {
    if (over) return;
    unwatch = watchSilence({
      firstMs: timeMs,
      graceMs,
      // What this end does not take, the Keep cannot send.
      heard: () =>
        [run.stdout, run.stderr].some(isHeldUp) ? null : run.received.output + run.received.trees,
      onSilent: () =>
        giveUp(kill, ending, EXIT.timeLimit, `${graceMs / 1000} s after its limit of ${timeMs} ms`),
    });
  };
  run.provisioned.then(begin, () => {});
  return () => {
    over = true;
    unwatch();
  };
}

function isHeldUp(output: Readable): boolean {
  return output.isPaused() || output.readableLength > 0;
}

async function giveUp(
  kill: DriveOptions["kill"],
  ending: Ending,
  exitCode: number | null,
  when: string,
): Promise<void> {
  ending.givingUp = true;
  await kill();
  const failure = new DonjonError(
    "keep/stuck",
    `the Keep had not ended the run ${when}, so it was killed; output and changes that it had not sent are lost`,
  );
  ending.givenUp.reject(new Interrupted(exitCode ?? ending.code ?? EXIT.failed, failure));
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
async function connectStdio(run: Run, options: DriveOptions, ending: Ending): Promise<void> {
  if (options.stdin) {
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
        `the output cannot be written: ${explainSystemError(error)}`,
        { cause: error },
      );
    stopRun(run, "kill", options, ending);
  };
  await Promise.all([
    pipeOutput(run.stdout, openOutput(1), broken),
    pipeOutput(run.stderr, openOutput(2), broken),
  ]);
}
