/**
 * The relying party's end of a session (protocol README, session).
 *
 * ```ts
 * const session = openSession(gate.openBareSession());
 * const run = session.provision({ manifest, workload, secrets: new Map(), trees: [] });
 * process.stdin.pipe(run.stdin);
 * run.stdout.pipe(process.stdout);
 * run.stderr.pipe(process.stderr);
 * const { outcome } = await run.result;
 * ```
 */
import type { Duplex, Readable, Writable } from "node:stream";
import type { RunOutcome, RunUsage, StopHow } from "@donjon/protocol/session/outcome";
import { ClientSession } from "./client-session.ts";

export interface TreeBytes {
  /** Absolute guest path of the preopen. */
  readonly guest: string;
  /** In the form of `@donjon/wasi/files/pack`. */
  readonly bytes: Uint8Array;
}

/** Bytes that are made while they are sent, `length` in all. */
export interface LazyBytes {
  readonly length: number;
  /** Writes the next of them to the front of `to` and answers how many that were; 0 when there are no more. */
  read(to: Uint8Array): number;
}

export interface Provision {
  /** The bytes of `donjon.toml`, as they are: their SHA-256 is the manifest's identity. */
  readonly manifest: Uint8Array | LazyBytes;
  readonly workload: Uint8Array | LazyBytes;
  readonly secrets: ReadonlyMap<string, Uint8Array>;
  readonly trees: readonly { readonly guest: string; readonly bytes: Uint8Array | LazyBytes }[];
  /** The streams that the workload is to take for terminals; none when not given. */
  readonly terminals?: readonly StandardStream[];
  /**
   * The workload outlives this session; its output is kept for who attaches. Not when not given. The run then
   * has no streams, and `started` tells that all went well; `result` settles only when something fails.
   */
  readonly detached?: boolean;
}

export type StandardStream = "stdin" | "stdout" | "stderr";

/**
 * Called while a provision goes up, with octets handed to the stream so far and in all. The Keep has received
 * all but the last `INITIAL_CREDIT` of them.
 */
export type OnUpload = (sent: number, total: number) => void;

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
  /** Octets that have come so far: of stdout and stderr, and of changed trees. */
  readonly received: { readonly output: number; readonly trees: number };
}

export interface AttachOptions {
  /** Whether this session writes the workload's stdin; one at a time may. */
  readonly input: boolean;
}

/** A detached workload, seen from a later session. */
export interface AttachedRun extends Pick<Run, "stdin" | "stdout" | "stderr" | "result" | "stop"> {
  /** `lost`: octets of earlier output that the Keep no longer holds. Need not be awaited. */
  readonly attached: Promise<{ readonly state: "running" | "exited"; readonly lost: number }>;
}

export interface Session {
  /** What the Keep's `hello` said. Need not be awaited. */
  readonly hello: Promise<{ readonly protocol: number; readonly engine: string }>;
  /**
   * Sends everything at once, without waiting for answers. Once per session. What is lazy is read in this order: workload, trees,
   * manifest; what its reading throws is the failure of the session, and nothing runs.
   */
  provision(provision: Provision, onUpload?: OnUpload): Run;
  /** Shows the output of a detached workload from where the Keep still holds it. The owner's; once per session. */
  attach(options: AttachOptions): AttachedRun;
  /** Asks for evidence, which comes as a CMW and proves nothing until it is verified. `nonce`: 32 octets. */
  askEvidence(nonce: Uint8Array): Promise<Uint8Array>;
  /** Ends the session; a run that is not over rejects with `session/closed`. */
  close(): void;
}

export interface SessionOptions {
  /** Milliseconds that a provision may go without any sign that it arrives or starts; `PROVISION_STALL_MS` unless said. */
  readonly stallMs?: number;
}

/**
 * Opens a session on a stream that `Gate.openBareSession` gave: the host reads along. Says `hello` at once.
 * `openAttestedSession` (`@donjon/client/attested/open`) opens one with a Keep that has proved itself.
 */
export function openSession(stream: Duplex, options: SessionOptions = {}): Session {
  const client = new ClientSession(stream, options);
  return {
    hello: client.hello,
    provision: (provision, onUpload = () => {}) => client.provision(provision, onUpload),
    attach: (options) => client.attach(options),
    askEvidence: (nonce) => client.askEvidence(nonce),
    close: () => client.close(),
  };
}
