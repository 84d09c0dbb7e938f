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
import { DonjonError } from "@donjon/core/errors";
import { failureError, type KeepMessage, SESSION_PROTOCOL } from "@donjon/protocol/session/message";
import type { RunOutcome, RunUsage, StopHow } from "@donjon/protocol/session/outcome";
import { ClientPeer, type DataChannel } from "@donjon/protocol/session/peer";
import { createFrameSender } from "@donjon/protocol/session/wire";
import { type StartedRun, startRun } from "./run.ts";

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
  /** The streams that the workload is to take for terminals; none when not given. */
  readonly terminals?: readonly StandardStream[];
  /** The workload outlives this session; its output is kept for who attaches later. Not when not given. */
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
}

export interface Session {
  /** What the Keep's `hello` said. Need not be awaited. */
  readonly hello: Promise<{ readonly protocol: number; readonly engine: string }>;
  /** Sends everything at once, without waiting for answers. Once per session. */
  provision(provision: Provision, onUpload?: OnUpload): Run;
  /** Ends the session; a run that is not over rejects with `session/closed`. */
  close(): void;
}

/** Opens a session on a stream that `Gate.openSession` gave. Says `hello` at once. */
export function openSession(stream: Duplex): Session {
  const hello = Promise.withResolvers<{ protocol: number; engine: string }>();
  hello.promise.catch(() => {});
  let run: StartedRun | null = null;
  let over: DonjonError | null = null;

  const fail = (error: DonjonError) => {
    over ??= error;
    hello.reject(error);
    run?.fail(error);
    stream.destroy();
  };
  const guarded = (act: () => void) => {
    if (over !== null) return;
    try {
      act();
    } catch (error) {
      fail(asDonjonError(error));
    }
  };
  const peer = new ClientPeer({
    send: createFrameSender(stream),
    onMessage: (message) => {
      if (message.type === "hello") hello.resolve(checkHello(message));
      else if (message.type === "failure") fail(failureError(message));
      else run?.onMessage(message);
      // The Keep waits for this before it goes.
      if (message.type === "exit") stream.end();
    },
    onData: (channel: DataChannel, piece) => run?.onData(channel, piece),
    onEnd: (channel) => run?.onEnd(channel),
    onCredit: (channel) => run?.onCredit(channel),
  });

  stream.on("data", (chunk: Uint8Array) => guarded(() => peer.receive(chunk)));
  stream.on("end", () =>
    guarded(() => {
      peer.finish();
      if (run?.finished !== true) fail(closedError());
    }),
  );
  stream.on("error", (cause) => guarded(() => fail(asClosedError(cause))));
  stream.on("close", () => guarded(() => run?.finished === true || fail(closedError())));
  peer.sendMessage({ type: "hello", protocol: SESSION_PROTOCOL });

  return {
    hello: hello.promise,
    provision(provision, onUpload = () => {}) {
      if (run !== null) throw new TypeError("a session takes one provision");
      run = startRun(peer, provision, onUpload);
      if (over !== null) run.fail(over);
      return run.run;
    },
    close: () => guarded(() => fail(closedError())),
  };
}

function checkHello(message: KeepMessage & { type: "hello" }): {
  protocol: number;
  engine: string;
} {
  if (message.protocol === SESSION_PROTOCOL) return message;
  throw new DonjonError(
    "session/protocol",
    `the Keep speaks session protocol ${message.protocol}, wanted ${SESSION_PROTOCOL}; use a Keep and a client of one version`,
  );
}

function closedError(cause?: unknown): DonjonError {
  return new DonjonError(
    "session/closed",
    "the session ended before the run was over; the Keep or the host between has stopped",
    { cause },
  );
}

/** The gate says itself why it refused a stream; a stream that only ended says nothing. */
function asClosedError(cause: unknown): DonjonError {
  const told = cause instanceof DonjonError && cause.code !== "gate/closed";
  return told ? cause : closedError(cause);
}

function asDonjonError(error: unknown): DonjonError {
  if (error instanceof DonjonError) return error;
  return new DonjonError("internal", `the session failed: ${error}`, { cause: error });
}
