/** One run, from a started Keep to its outcome. */
import { openSession, type Run, type RunResult } from "@donjon/client/session";
import { DonjonError } from "@donjon/core/errors";
import { type Gate, openGate } from "@donjon/host/gate/gate";
import type { Manifest } from "@donjon/protocol/manifest/manifest";
import type { EarlyKeep } from "../early-keep.ts";
import { EXIT } from "../output/exit-codes.ts";
import type { Progress } from "../output/progress.ts";
import { uptimeMs } from "../uptime.ts";
import type { Prepared } from "./prepare.ts";
import { listTerminals, openOutput, openStdin, pipeOutput } from "./stdio.ts";

export interface Executed {
  readonly result: RunResult;
  readonly digests: { readonly manifest: string; readonly workload: string };
  /** Milliseconds by name, in order: of this process, then of the Keep. */
  readonly phases: ReadonlyMap<string, number>;
  /** The signal or the broken pipe that decides the exit code, `null` when the outcome does. */
  readonly forced: number | null;
}

/** Time for output that is under way after a signal; who does not read then does not get it. */
const FLUSH_AFTER_SIGNAL_MS = 500;

/** What came from outside and ends the run. */
interface Ending {
  code: number | null;
  /** What to tell besides the exit code. */
  error: DonjonError | null;
  /** Settles soon after a signal, whether or not anybody reads. */
  readonly cutOff: Promise<void>;
  readonly cut: () => void;
}

function createEnding(): Ending {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { code: null, error: null, cutOff: promise, cut: resolve };
}

/** Calls `prepare` while the Keep boots. Throws `DonjonError`; the Keep is left to the caller. */
export async function executeRun(
  early: EarlyKeep,
  prepare: () => Promise<Prepared>,
  progress: Progress,
): Promise<Executed & { prepared: Prepared }> {
  const watch = new Stopwatch(early);
  const gate = openGate(early.keep, { onConsole: (line) => early.lines.push(line) });
  const session = openSession(gate.openBareSession());
  session.hello.then(
    () => watch.note("boot"),
    () => {},
  );
  const prepared = await prepare();
  watch.note("prepare");
  await openSockets(gate, prepared.manifest);
  progress.begin("sending");
  const provision = { ...prepared.provision, terminals: listTerminals() };
  const run = session.provision(provision, (sent, total) => progress.update(sent, total));
  // Before the program writes its first byte.
  const endProgress = () => progress.end();
  run.provisioned.then(endProgress, endProgress);
  const ending = createEnding();
  const release = handleSignals(run, early, ending);
  try {
    const flushed = connectStdio(run, prepared.manifest, ending);
    run.started.then(
      (phases) => watch.add(phases),
      () => {},
    );
    const result = await run.result;
    const { manifest, workload } = await run.provisioned;
    await Promise.race([flushed, ending.cutOff]);
    if (ending.error !== null) throw ending.error;
    watch.note("exit");
    return {
      result,
      digests: { manifest, workload },
      phases: watch.phases,
      forced: ending.code,
      prepared,
    };
  } catch (error) {
    if (ending.error !== null) throw ending.error;
    if (ending.code !== null) throw new Interrupted(ending.code);
    throw await explainLoss(error, early);
  } finally {
    // After a signal they stay to the end: one more must not change the exit code.
    if (ending.code === null) release();
    gate.close();
  }
}

/** The run was cut off from outside: quiet, with this exit code. */
export class Interrupted extends Error {
  readonly exitCode: number;

  constructor(exitCode: number) {
    super(`interrupted with ${exitCode}`);
    this.exitCode = exitCode;
  }
}

/** Marks along the way, in milliseconds since this process began; the Keep's own are durations. */
class Stopwatch {
  readonly phases = new Map<string, number>();

  constructor(early: EarlyKeep) {
    this.phases.set("spawn at", early.startedMs);
    this.note("load");
  }

  note(name: string): void {
    this.phases.set(`${name} at`, uptimeMs());
  }

  add(durations: ReadonlyMap<string, number>): void {
    this.note("start");
    for (const [name, ms] of durations) this.phases.set(name, ms);
  }
}

async function openSockets(gate: Gate, { descriptors }: Manifest): Promise<void> {
  const connections = descriptors.filter(({ kind }) => kind === "connect");
  gate.allowConnections(
    connections.map((to) => (to.kind === "connect" ? formatAuthority(to.host, to.port) : "")),
  );
  for (const descriptor of descriptors) {
    if (descriptor.kind === "listen") await gate.listen(descriptor);
  }
}

function formatAuthority(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Ctrl-C once asks the workload to stop, twice ends the Keep. Answers what puts the handlers away. */
function handleSignals(run: Run, early: EarlyKeep, ending: Ending): () => void {
  const codes = { SIGINT: EXIT.interrupted, SIGTERM: EXIT.terminated, SIGHUP: 129 } as const;
  const handlers = Object.entries(codes).map(([signal, code]) => {
    const handler = () => {
      const again = ending.code !== null;
      ending.code = code;
      if (again) {
        early.keep.kill();
        ending.cut();
      } else {
        run.stop("interrupt");
        run.result.finally(() => setTimeout(ending.cut, FLUSH_AFTER_SIGNAL_MS)).catch(() => {});
      }
    };
    process.on(signal, handler);
    return () => process.off(signal, handler);
  });
  return () => {
    for (const off of handlers) off();
  };
}

/** Resolves when all output is out. */
async function connectStdio(run: Run, { descriptors }: Manifest, ending: Ending): Promise<void> {
  const has = (kind: string) => descriptors.some((descriptor) => descriptor.kind === kind);
  if (has("stdin")) {
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

/** The Keep's own failures have other codes, `gate/closed` for a peer that is down among them. */
const LOSSES: ReadonlySet<string> = new Set(["session/closed", "keep/lost"]);

/** A session that closed says little; how the Keep ended says more. */
async function explainLoss(error: unknown, { keep, lines }: EarlyKeep): Promise<unknown> {
  if (!(error instanceof DonjonError) || !LOSSES.has(error.code)) return error;
  keep.kill();
  const end = await keep.ended;
  const how = end.kind === "exited" ? `exited with ${end.code}` : `was ended by ${end.signal}`;
  // The engine's own last words are followed by a dump of its stack.
  const words = lines.findLast((line) => /fatal/i.test(line)) ?? lines.at(-1);
  const said = words === undefined ? "" : `; its last line: ${words}`;
  return new DonjonError("keep/lost", `the Keep ${how} before the run was over${said}`, {
    cause: error,
  });
}
