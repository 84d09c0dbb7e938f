/**
 * The relying party's end of a session (protocol README, session).
 *
 * ```ts
 * const session = openSession(gate.openSession());
 * const run = session.provision({ manifest, workload, secrets: new Map(), trees: [] });
 * process.stdin.pipe(run.stdin);
 * run.stdout.pipe(process.stdout);
 * run.stderr.pipe(process.stderr);
 * const { outcome } = await run.result;
 * ```
 */
import type { Duplex, Readable, Writable } from "node:stream";
import type { RunOutcome, RunUsage, StopHow } from "@donjon/protocol/session/outcome";

export interface TreeBytes {
  /** Absolute guest path of the preopen. */
  readonly guest: string;
  /** In the form of `@donjon/wasi/files/pack`. */
  readonly bytes: Uint8Array;
}

export interface Provision {
  /** The bytes of `donjon.toml`, as they are: their SHA-256 is the manifest's identity. */
  readonly manifest: Uint8Array;
  readonly workload: Uint8Array;
  readonly secrets: ReadonlyMap<string, Uint8Array>;
  readonly trees: readonly TreeBytes[];
}

export interface Provisioned {
  /** SHA-256 as the Keep computed it, lower-case hex. */
  readonly manifest: string;
  readonly workload: string;
}

export interface RunResult {
  readonly outcome: RunOutcome;
  readonly usage: RunUsage;
  /** Trees granted read-write that changed, in the form of `@donjon/wasi/files/pack`; all or none. */
  readonly changes: readonly TreeBytes[];
}

export interface Run {
  /** The workload's standard input. Writes after the workload closed it are dropped. */
  readonly stdin: Writable;
  /** Flows only as fast as it is read: a slow reader slows the workload. Must be read or resumed. */
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** What the Keep says it was given. Need not be awaited: its failure is also that of `result`. */
  readonly provisioned: Promise<Provisioned>;
  /** Milliseconds by phase, once the workload runs. Need not be awaited. */
  readonly started: Promise<ReadonlyMap<string, number>>;
  /**
   * Settles when the run is over and all its output has been handed to `stdout` and `stderr`.
   * Rejects with a `DonjonError`: the Keep's own `failure`, or `session/closed` when the stream ended.
   */
  readonly result: Promise<RunResult>;
  stop(how: StopHow): void;
}

export interface Session {
  /** What the Keep's `hello` said. Need not be awaited. */
  readonly hello: Promise<{ readonly protocol: number; readonly engine: string }>;
  /** Sends everything at once, without waiting for answers. Once per session. */
  provision(provision: Provision): Run;
  /** Ends the session; a run that is not over rejects with `session/closed`. */
  close(): void;
}

/** Opens a session on a stream that `Gate.openSession` gave. Says `hello` at once. */
export declare function openSession(stream: Duplex): Session;
