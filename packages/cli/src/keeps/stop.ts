/** Ends a workload: by asking it in a session of its owner, or by ending its Keep at the host. */
import { DonjonError } from "@donjon/core/errors";
import { DURATION_WANTED, formatDuration, parseDuration } from "@donjon/protocol/manifest/units";
import { EXIT } from "../output/exit-codes.ts";
import { openAgent } from "./connect.ts";
import { type KeepFlags, MINE, openKeepSession } from "./session.ts";

export interface StopOptions extends KeepFlags {
  readonly force?: boolean;
  readonly time?: string;
  readonly json?: boolean;
}

const DEFAULT_WAIT_MS = 10_000;
const MAX_WAIT_MS = 3_600_000;

export async function runStop(name: string, options: StopOptions): Promise<number> {
  const waitMs = readWait(options.time);
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
  const ms = text === undefined ? DEFAULT_WAIT_MS : parseDuration(text);
  if (ms !== null && ms <= MAX_WAIT_MS) return ms;
  throw new DonjonError(
    "usage",
    `--time is '${text}', and ${DURATION_WANTED} of at most ${formatDuration(MAX_WAIT_MS)} is wanted`,
  );
}

function stillRuns(name: string, waitMs: number): DonjonError {
  return new DonjonError(
    "keep/state",
    `the workload in '${name}' was asked to end and still runs after ${formatDuration(waitMs)}; end its Keep at the host: donjon stop --force ${name}`,
  );
}
