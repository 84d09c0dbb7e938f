/** Ends a workload: by asking it in a session of its owner, or by ending its Keep at the host. */
import { DonjonError } from "@donjon/core/errors";
import { EXIT } from "../output/exit-codes.ts";
import { openAgent } from "./connect.ts";
import { type KeepFlags, MINE, openKeepSession } from "./session.ts";

export interface StopOptions extends KeepFlags {
  readonly force?: boolean;
  readonly time?: string;
  readonly json?: boolean;
}

const DEFAULT_WAIT_S = 10;
const MAX_WAIT_S = 3600;

export async function runStop(name: string, options: StopOptions): Promise<number> {
  const waitMs = readWait(options.time) * 1000;
  const outcome = options.force
    ? await forceStop(name, options)
    : await askStop(name, options, waitMs);
  process.stdout.write(options.json ? `${JSON.stringify({ stopped: outcome })}\n` : `${name}\n`);
  return EXIT.ok;
}

async function forceStop(name: string, options: StopOptions) {
  const { id, end } = await openAgent(options).stopKeep(name);
  return { id, outcome: null, end };
}

/** The workload's own way to end comes first; a Keep whose workload is over ends with its session. */
async function askStop(name: string, options: StopOptions, waitMs: number) {
  const { agent, keep, session } = await openKeepSession(name, options, MINE);
  const run = session.attach({ input: false });
  run.stdout.resume();
  run.stderr.resume();
  run.stop("interrupt");
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), waitMs);
  });
  try {
    const result = await Promise.race([run.result, late]);
    if (result === null) throw stillRuns(name, waitMs);
    const { end } = await agent.stopKeep(keep.id);
    return { id: keep.id, outcome: result.outcome, end };
  } finally {
    clearTimeout(timer);
    session.close();
  }
}

function readWait(text: string | undefined): number {
  const seconds = text === undefined ? DEFAULT_WAIT_S : Number(text);
  if (Number.isInteger(seconds) && seconds >= 0 && seconds <= MAX_WAIT_S) return seconds;
  throw new DonjonError(
    "usage",
    `--time is '${text}', and seconds from 0 to ${MAX_WAIT_S} are wanted`,
  );
}

function stillRuns(name: string, waitMs: number): DonjonError {
  return new DonjonError(
    "keep/state",
    `the workload in '${name}' was asked to end and still runs after ${waitMs / 1000} s; end its Keep at the host: donjon stop --force ${name}`,
  );
}
