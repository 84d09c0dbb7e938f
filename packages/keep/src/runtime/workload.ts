/**
 * What the session asks of the engine room, and what it gets back. The engine room runs one
 * workload in a worker; this is its face on the thread that serves the gate.
 */
import type { Duplex } from "node:stream";

/** A preopened directory; `guest` is its absolute guest path, for example `/data`. */
export type MountSpec =
  | { readonly kind: "memory" /** Empty at start. */; readonly guest: string }
  | {
      readonly kind: "packed";
      readonly guest: string;
      readonly writable: boolean;
      /** A tree in the form of `@donjon/wasi/files/pack`. */
      readonly bytes: Uint8Array;
    }
  | {
      readonly kind: "secrets";
      readonly guest: string;
      /** Read-only files by name. */
      readonly files: ReadonlyMap<string, Uint8Array>;
    };

/** One descriptor that is no directory. */
export type DescriptorSpec =
  | { readonly kind: "null"; readonly name: string }
  | {
      readonly kind: "stdin" | "stdout" | "stderr";
      readonly name: string;
      /** The program is told that a person sits at the other end. */
      readonly terminal: boolean;
    }
  | { readonly kind: "listen"; readonly name: string }
  | { readonly kind: "connect"; readonly name: string; readonly stream: Duplex };

export interface WorkloadLimits {
  /** Bytes of linear memory, all threads together. */
  readonly memoryBytes: number;
  /** Bytes of the in-memory files. */
  readonly filesBytes: number;
  /** Wall time from start to exit; `null`: no limit. */
  readonly timeMs: number | null;
  readonly descriptors: number;
  readonly threads: number;
  /** Bytes that stdout and stderr together may carry; `null`: no limit. */
  readonly outputBytes: number | null;
}

/**
 * Bytes of the module and of packed trees that fill their buffer are moved to the worker, not copied: they are gone for the
 * caller after `run`.
 */
export interface WorkloadSpec {
  readonly module: Uint8Array;
  readonly args: readonly string[];
  readonly env: ReadonlyMap<string, string>;
  /** In order; `mounts` stand between the third and the fourth. */
  readonly descriptors: readonly DescriptorSpec[];
  readonly mounts: readonly MountSpec[];
  readonly limits: WorkloadLimits;
  /** Real time, nanoseconds since 1970, is never earlier than the engine's monotonic clock plus this. */
  readonly clockFloorNs: bigint;
}

export interface StackFrame {
  readonly function: string;
  readonly module: string;
  /** Byte offset in the module. */
  readonly offset: number;
}

export type WorkloadOutcome =
  | { readonly kind: "exit"; readonly code: number }
  | { readonly kind: "trap"; readonly reason: string; readonly frames: readonly StackFrame[] }
  | { readonly kind: "limit"; readonly limit: "time" | "memory" | "output"; readonly value: number }
  | { readonly kind: "stopped"; readonly how: "interrupt" | "kill" };

export interface WorkloadUsage {
  readonly peakMemory: number;
  readonly wallMs: number;
  readonly cpuMs: number;
}

/** The receiving end of a stream of the workload, as the session sees it. */
export interface ByteSource {
  /**
   * The next bytes after `skip` that were read and not consumed yet, `null` when there are none now, `undefined` at the
   * end, which comes when all is consumed. Valid until they are.
   */
  read(skip?: number): Uint8Array | null | undefined;
  /** Gives back `count` bytes of what `read` showed. */
  consume(count: number): void;
  /** Called whenever `read` may have something new. */
  onReadable: (() => void) | null;
}

/** The sending end of a stream of the workload. */
export interface ByteSink {
  /** Takes as much as fits and answers how many bytes that was. */
  write(bytes: Uint8Array): number;
  end(): void;
  /** Called whenever `write` may take more. */
  onWritable: (() => void) | null;
}

export interface WorkloadResult {
  readonly outcome: WorkloadOutcome;
  readonly usage: WorkloadUsage;
  /** Changes of the writable trees, in the form of `@donjon/wasi/files/pack`; only after an exit. */
  readonly changes: readonly { readonly guest: string; readonly bytes: Uint8Array }[];
}

export interface Workload {
  readonly stdin: ByteSink;
  readonly stdout: ByteSource;
  readonly stderr: ByteSource;
  /** Hands over a connection for a listener; `false`: the backlog is full or there is no such listener. */
  accept(listener: string, stream: Duplex): boolean;
  stop(how: "interrupt" | "kill"): void;
  /** Never rejects for anything the workload does; a module that cannot be loaded rejects with a `DonjonError`. */
  readonly result: Promise<WorkloadResult>;
  /** Milliseconds by phase, complete once the workload runs. */
  readonly phases: ReadonlyMap<string, number>;
  /** Called once when the workload runs; never when it could not be started. */
  onRunning: (() => void) | null;
}

/**
 * The engine room. Made when the Keep starts, so that the worker's own start overlaps with the
 * session's; `run` may be called once.
 */
export interface EngineRoom {
  /**
   * Moves the module of the `run` to come to the worker, which compiles it meanwhile. Nothing of it runs, and nothing that its
   * bytes bring about is told to anybody, before `run` is called with the same array.
   */
  prepare(module: Uint8Array): void;
  run(spec: WorkloadSpec): Workload;
  close(): Promise<void>;
}
