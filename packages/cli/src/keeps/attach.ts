/** A detached workload joined to this terminal, or its output alone. */
import type { AttachedRun } from "@donjon/client/session";
import { DonjonError } from "@donjon/core/errors";
import { explainSystemError } from "@donjon/core/system-error";
import { chooseOutcomeExit, EXIT } from "../output/exit-codes.ts";
import { writeLine } from "../output/failure.ts";
import { formatBytes } from "../output/progress.ts";
import { describeEnd } from "../output/summary.ts";
import { openOutput, openStdin, pipeOutput } from "../run/stdio.ts";
import { type KeepFlags, MINE, openKeepSession } from "./session.ts";

export interface AttachOptions extends KeepFlags {
  readonly stdin?: boolean;
  readonly json?: boolean;
}

export interface LogsOptions extends KeepFlags {
  readonly follow?: boolean;
  readonly json?: boolean;
}

/** The workload's exit code when it ends meanwhile; 0 when this end lets go of it. */
export async function runAttach(name: string, options: AttachOptions): Promise<number> {
  const { session } = await openKeepSession(name, options, MINE);
  const run = session.attach({ input: options.stdin !== false });
  if (options.stdin !== false) {
    const stdin = openStdin();
    stdin.on("error", () => run.stdin.end());
    stdin.pipe(run.stdin);
  }
  const left = leaveAtSignal(() => session.close());
  const code = await followRun(run, left);
  if (code !== null) return code;
  if (!options.json) writeLine(`donjon: left '${name}' running`);
  return EXIT.ok;
}

/** Without `follow` it ends when what the Keep holds has come. */
export async function runLogs(name: string, options: LogsOptions): Promise<number> {
  const { session } = await openKeepSession(name, options, MINE);
  const run = session.attach({ input: false });
  const left = leaveAtSignal(() => session.close());
  if (!options.follow) {
    const { state } = await run.attached;
    // The Keep answers in order: its answer to one more question comes after all that it holds.
    if (state === "running") session.attest().then(left.leave, left.leave);
  }
  await followRun(run, left, false);
  return EXIT.ok;
}

interface Leaving {
  /** Whether this end closed the session. */
  readonly isLeft: () => boolean;
  readonly leave: () => void;
}

function leaveAtSignal(close: () => void): Leaving {
  let isLeft = false;
  const leave = () => {
    isLeft = true;
    close();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, leave);
  return { isLeft: () => isLeft, leave };
}

/**
 * Resolves when all output is out: with the exit code, or `null` when this end has left. Rejects with `files/write`
 * when it cannot be written; that nobody reads any more (`| head -1`) is a way to leave.
 */
async function followRun(
  run: AttachedRun,
  { isLeft, leave }: Leaving,
  tell = true,
): Promise<number | null> {
  const lost: DonjonError[] = [];
  const broken = (cause: NodeJS.ErrnoException) => {
    if (cause.code !== "EPIPE") {
      const message = `the output cannot be written: ${explainSystemError(cause)}`;
      lost.push(new DonjonError("files/write", message, { cause }));
    }
    leave();
  };
  const flushed = Promise.all([
    pipeOutput(run.stdout, openOutput(1), broken),
    pipeOutput(run.stderr, openOutput(2), broken),
  ]);
  run.attached.then(
    ({ lost }) => {
      if (lost > 0) writeLine(`donjon: ${formatBytes(lost)} of earlier output are no longer held`);
    },
    () => {},
  );
  const result = await run.result.catch((error: unknown) => {
    if (!isLeft()) throw error;
    return null;
  });
  await flushed;
  if (lost.length > 0) throw lost[0];
  if (result === null) return null;
  const end = describeEnd(result.outcome);
  if (tell && end !== null) writeLine(`donjon: ${end}`);
  return chooseOutcomeExit(result.outcome);
}
