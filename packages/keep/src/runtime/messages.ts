/** What the gate thread and its workers tell each other. Bytes of streams never travel this way. */

import type { MessagePort } from "node:worker_threads";
import type { DonjonError, ErrorCode } from "@donjon/core/errors";
import type { SharedWords } from "./doorbell.ts";
import type { MountSpec, WorkloadLimits, WorkloadOutcome } from "./workload.ts";

/** `workerData` of every worker. */
export interface WorkerBoot {
  readonly control: SharedWords;
  /** What to run at once; `null`: a `RunOrder` will come. */
  readonly thread: ThreadOrder | null;
}

/** What a worker needs to open its end of a stream: shared memory, and the stream's index for signals. */
export interface StreamGrant {
  readonly buffer: SharedArrayBuffer;
  readonly index: number;
}

/** Words that gate thread and worker share per listener. */
export const LISTENER_WORDS = 3;
/** Connections handed to the worker so far; written by the gate thread. */
export const HANDED = 0;
/** Connections that the workload accepted so far; written by the worker. */
export const ACCEPTED = 1;
/** Not 0 when the workload has closed the listener. */
export const CLOSED = 2;

/** A descriptor with what the worker needs to open it. */
export type DescriptorGrant =
  | { readonly kind: "null"; readonly name: string }
  | {
      readonly kind: "stdin" | "stdout" | "stderr";
      readonly name: string;
      readonly terminal: boolean;
      readonly stream: StreamGrant;
    }
  | {
      readonly kind: "listen";
      readonly name: string;
      /** `LISTENER_WORDS` words. */
      readonly words: SharedWords;
      readonly index: number;
      readonly port: MessagePort;
    }
  | { readonly kind: "connect"; readonly name: string; readonly stream: StreamGrant };

/** May be posted to the first worker before its `RunOrder`: a module that is compiled then, and runs only with that. */
export interface CompileOrder {
  readonly ahead: Uint8Array;
}

/** Posted to the first worker, whose doorbell is rung then. */
export interface RunOrder {
  /** `null`: the one that came ahead. */
  readonly module: Uint8Array | null;
  readonly args: readonly string[];
  readonly env: ReadonlyMap<string, string>;
  readonly descriptors: readonly DescriptorGrant[];
  readonly mounts: readonly MountSpec[];
  readonly limits: WorkloadLimits;
  /** As in `WorkloadSpec`. */
  readonly clockFloorNs: bigint;
}

/** Starts one thread of a workload in a worker of its own; see threads/. */
export interface ThreadOrder {
  readonly module: WebAssembly.Module;
  readonly entry: string;
  readonly memory: WebAssembly.Memory;
  readonly memoryImport: { readonly module: string; readonly name: string };
  /** The call block; see threads/call-block.ts. */
  readonly calls: SharedWords;
  /** Of this thread, in `calls`. */
  readonly slot: number;
  /** As in `WorkloadSpec`. */
  readonly clockFloorNs: bigint;
  /** `null`: the first thread, which runs the program's entry. */
  readonly start: { readonly id: number; readonly argument: number } | null;
}

export type Phases = readonly (readonly [name: string, ms: number])[];

export type WorkerReport =
  | { readonly kind: "running"; readonly phases: Phases }
  | { readonly kind: "spawn"; readonly order: ThreadOrder }
  | {
      readonly kind: "done";
      readonly outcome: WorkloadOutcome;
      readonly changes: readonly { readonly guest: string; readonly bytes: Uint8Array }[];
    }
  | {
      readonly kind: "refused";
      readonly code: ErrorCode;
      readonly message: string;
      readonly details: DonjonError["details"];
    };
