/** One run in a Keep of this process, from a started Keep to its outcome. */
import { openSession, type Provision, type Run, type RunResult } from "@donjon/client/session";
import { DonjonError } from "@donjon/core/errors";
import type { EvidenceSource } from "@donjon/host/gate/evidence";
import { type Gate, openGate } from "@donjon/host/gate/gate";
import { DRAIN_MS } from "@donjon/protocol/limits";
import type { Manifest } from "@donjon/protocol/manifest/manifest";
import type { EarlyKeep } from "../early-keep.ts";
import type { Progress } from "../output/progress.ts";
import { uptimeMs } from "../uptime.ts";
import { driveRun } from "./drive.ts";
import type { LazilyPrepared } from "./prepare.ts";
import { listTerminals } from "./stdio.ts";

export interface Executed {
  readonly result: RunResult;
  readonly digests: { readonly manifest: string; readonly workload: string };
  /** Milliseconds by name, in order: of this process, then of the Keep. */
  readonly phases: ReadonlyMap<string, number>;
  /** The signal or the broken pipe that decides the exit code, `null` when the outcome does. */
  readonly forced: number | null;
  readonly prepared: LazilyPrepared;
}

/** A session that is ready to take a workload: bare, or one whose Keep has proved itself. */
export interface ReadySession {
  provision(provision: Provision, onUpload?: (sent: number, total: number) => void): Run;
}

/** How the session with a Keep of this process is opened. */
export interface Carrier {
  /** Simulated evidence for the Keep; `null`: it has none, or its hardware gives it. */
  readonly evidence: EvidenceSource | null;
  /** Opens a session through the gate. Notes what it waited for. */
  open(gate: Gate, watch: Stopwatch): Promise<ReadySession>;
  readonly companion?: RunCompanion;
}

/** What goes on beside a run. */
export interface RunCompanion {
  /** Called at once when the last of the workload leaves: what is sent then leaves with it. */
  onUploaded(): void;
  onRun(run: Run): void;
}

/** Without TLS and evidence: nothing would be proved by them here. */
export const BARE: Carrier = { evidence: null, open: openBare };

async function openBare(gate: Gate, watch: Stopwatch): Promise<ReadySession> {
  const session = openSession(gate.openBareSession());
  session.hello.then(
    () => watch.note("boot"),
    () => {},
  );
  return session;
}

/** Calls `prepare` while the Keep boots. Throws `DonjonError`; the Keep is left to the caller. */
export async function executeRun(
  early: EarlyKeep,
  prepare: () => Promise<LazilyPrepared>,
  progress: Progress,
  { evidence, open, companion }: Carrier = BARE,
): Promise<Executed> {
  const watch = new Stopwatch(early.startedMs);
  const onConsole = (line: string) => early.lines.push(line);
  const gate = openGate(early.keep, { onConsole, evidence });
  try {
    const opening = open(gate, watch);
    opening.catch(() => {});
    const prepared = await prepare();
    watch.note("prepare");
    await openSockets(gate, prepared.manifest);
    const kill = () => early.keep.kill();
    const explain = (error: unknown) => explainLoss(error, early);
    const context = { prepared, progress, watch, kill, explain, ...(companion && { companion }) };
    const executed = await runInSession(await opening, context);
    // The exit may come before what connections still carry, and this process ends soon after.
    await gate.close();
    return executed;
  } catch (error) {
    gate.close();
    throw error;
  }
}

/** Time that a Keep has to end a run; it needs milliseconds, and one second when a compiler is busy. Sockets are drained first. */
const GRACE_MS = 5_000;

export interface SessionRun {
  readonly prepared: LazilyPrepared;
  readonly progress: Progress;
  readonly watch: Stopwatch;
  readonly kill: () => void | Promise<void>;
  readonly explain: (error: unknown) => Promise<unknown>;
  readonly companion?: RunCompanion;
}

/** Provisions, joins the run to this process and waits for its end. */
export async function runInSession(session: ReadySession, context: SessionRun): Promise<Executed> {
  const { prepared, progress, watch, kill, explain, companion } = context;
  progress.begin("sending");
  const provision = { ...prepared.provision, terminals: listTerminals() };
  const run = session.provision(provision, (sent, total) => {
    progress.update(sent, total);
    if (sent === total) companion?.onUploaded();
  });
  // Before the program writes its first byte.
  const endProgress = () => progress.end();
  run.provisioned.then(endProgress, endProgress);
  run.started.then(
    (phases) => watch.add(phases),
    () => {},
  );
  companion?.onRun(run);
  const { descriptors, limits } = prepared.manifest;
  const kinds = new Set(descriptors.map(({ kind }) => kind));
  const hasSockets = kinds.has("listen") || kinds.has("connect");
  const driven = await driveRun(run, {
    stdin: kinds.has("stdin"),
    kill,
    timeMs: limits.timeMs,
    graceMs: hasSockets ? DRAIN_MS + GRACE_MS : GRACE_MS,
    explain,
  });
  const { manifest, workload } = await run.provisioned;
  watch.note("exit");
  return { ...driven, digests: { manifest, workload }, phases: watch.phases, prepared };
}

/** Marks along the way, in milliseconds since this process began; the Keep's own are durations. */
export class Stopwatch {
  readonly phases = new Map<string, number>();

  /** @param startedMs when the Keep was started, or asked for */
  constructor(startedMs: number) {
    this.phases.set("spawn at", startedMs);
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

async function openSockets(gate: Gate, manifest: Manifest): Promise<void> {
  gate.allowConnections(listConnections(manifest));
  for (const descriptor of manifest.descriptors) {
    if (descriptor.kind === "listen") await gate.listen(descriptor);
  }
}

/** `host:port` of every connection that the manifest grants. */
export function listConnections({ descriptors }: Manifest): string[] {
  return descriptors.flatMap((to) =>
    to.kind === "connect" ? [formatAuthority(to.host, to.port)] : [],
  );
}

function formatAuthority(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
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
