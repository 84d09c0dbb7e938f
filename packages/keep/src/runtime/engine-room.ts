/**
 * The engine room on the thread that serves the gate: starts the worker, hands it the workload,
 * watches its limits and tells how it ended.
 */
import type { Duplex } from "node:stream";
import type { MessagePort, Worker } from "node:worker_threads";
import { DonjonError } from "@donjon/core/errors";
import { uptimeMs } from "../node/uptime.ts";
import { CONTROL_WORDS, STDIO_RING_BYTES, WORKER_BELL } from "./control.ts";
import { Doorbell } from "./doorbell.ts";
import { GateBell } from "./gate-bell.ts";
import { GateListener } from "./gate-listener.ts";
import { ConnectionPump, RingSink, RingSource } from "./gate-streams.ts";
import type {
  CompileOrder,
  DescriptorGrant,
  RunOrder,
  ThreadOrder,
  WorkerReport,
} from "./messages.ts";
import { prepareTiers } from "./prepare-tiers.ts";
import { startWorker } from "./start-worker.ts";
import type {
  DescriptorSpec,
  EngineRoom,
  Workload,
  WorkloadOutcome,
  WorkloadResult,
  WorkloadSpec,
} from "./workload.ts";

export interface EngineRoomOptions {
  /** JavaScript heap of a worker, in MiB: names of files, descriptors, objects of wasm's own garbage collector. */
  readonly heapMb?: number;
}

const DEFAULT_HEAP_MB = 1024;

/**
 * Time that threads have to end. V8 stops running code at once, but never while it compiles, and a hostile
 * function can keep its compiler busy for minutes. The Keep's end takes such a thread with it.
 */
const TERMINATE_MS = 1000;

/** Starts the worker; see `EngineRoom`. */
export function createEngineRoom(options: EngineRoomOptions = {}): EngineRoom {
  prepareTiers();
  return new Room(options.heapMb ?? DEFAULT_HEAP_MB);
}

/** CPU time of everything but this thread, in milliseconds: the workload, its threads and the compiler. */
function workersCpuMs(): number {
  const all = process.cpuUsage();
  const own = process.threadCpuUsage();
  return (all.user + all.system - own.user - own.system) / 1000;
}

class Room implements EngineRoom, Workload {
  readonly stdin: RingSink;
  readonly stdout: RingSource;
  readonly stderr: RingSource;
  readonly result: Promise<WorkloadResult>;
  readonly phases = new Map<string, number>();
  onRunning: (() => void) | null = null;
  readonly #control = new Int32Array(new SharedArrayBuffer(CONTROL_WORDS * 4));
  readonly #bell = new GateBell(this.#control);
  readonly #workers = new Set<Worker>();
  readonly #first: Worker;
  readonly #listeners = new Map<string, GateListener>();
  readonly #pumps = new Set<ConnectionPump>();
  readonly #born = uptimeMs();
  #resolve: (result: WorkloadResult) => void = () => {};
  #reject: (error: DonjonError) => void = () => {};
  #spec: WorkloadSpec | null = null;
  #ahead: Uint8Array | null = null;
  #started = 0;
  #cpuBefore = 0;
  #timer: NodeJS.Timeout | null = null;
  #finished = false;
  readonly #heapMb: number;

  constructor(heapMb: number) {
    this.#heapMb = heapMb;
    this.phases.set("engine", this.#born);
    this.stdin = new RingSink(this.#bell, this.#control, STDIO_RING_BYTES);
    this.stdout = new RingSource(this.#bell, this.#control, STDIO_RING_BYTES);
    this.stderr = new RingSource(this.#bell, this.#control, STDIO_RING_BYTES);
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Who asks for `result` still sees the rejection; who never does is not brought down by it.
    this.result.catch(() => {});
    this.#first = this.#startWorker(null);
    this.#first.once("online", () => {
      this.phases.set("worker", uptimeMs() - this.#born);
    });
  }

  prepare(module: Uint8Array): void {
    this.#ahead = module;
    this.#order({ ahead: module }, ownedBuffers([module]));
  }

  run(spec: WorkloadSpec): Workload {
    if (this.#spec !== null) throw new TypeError("An engine room runs one workload");
    this.#spec = spec;
    this.#started = uptimeMs();
    this.#cpuBefore = workersCpuMs();
    const { timeMs } = spec.limits;
    if (timeMs !== null) this.#watchTime(timeMs);
    const ports: MessagePort[] = [];
    const descriptors = spec.descriptors.map((one) => this.#grant(one, ports));
    const trees = spec.mounts.flatMap((mount) => (mount.kind === "packed" ? mount.bytes : []));
    const module = spec.module === this.#ahead ? null : spec.module;
    this.#order(
      {
        module,
        args: spec.args,
        env: spec.env,
        descriptors,
        mounts: spec.mounts,
        limits: spec.limits,
        clockFloorNs: spec.clockFloorNs,
      },
      [...ports, ...ownedBuffers([...(module === null ? [] : [module]), ...trees])],
    );
    return this;
  }

  #order(order: CompileOrder | RunOrder, moved: (ArrayBuffer | MessagePort)[]): void {
    this.#first.postMessage(order, moved);
    new Doorbell(this.#control, WORKER_BELL).ring();
  }

  accept(listener: string, stream: Duplex): boolean {
    return !this.#finished && (this.#listeners.get(listener)?.accept(stream) ?? false);
  }

  stop(how: "interrupt" | "kill"): void {
    this.#finish({ kind: "stopped", how }, []);
  }

  async close(): Promise<void> {
    if (!this.#finished) this.stop("kill");
    await Promise.all([...this.#workers].map((worker) => worker.terminate()));
    this.#bell.close();
  }

  #startWorker(thread: ThreadOrder | null): Worker {
    const worker = startWorker({ control: this.#control, thread }, this.#heapMb);
    this.#workers.add(worker);
    worker.on("message", (report: WorkerReport) => this.#hear(report));
    worker.on("error", (error) => this.#hearError(error));
    worker.on("exit", (code) => {
      this.#workers.delete(worker);
      // A thread that has come to its end leaves quietly; the others go on.
      if (code === 0 && worker !== this.#first) return;
      this.#fail(new DonjonError("internal", "A worker of the engine room ended by itself"));
    });
    return worker;
  }

  /** A timer of Node takes 2^31 ms at most; a longer limit is waited for in pieces. */
  #watchTime(timeMs: number): void {
    const left = this.#started + timeMs - uptimeMs();
    if (left <= 0) {
      this.#finish({ kind: "limit", limit: "time", value: timeMs }, []);
      return;
    }
    this.#timer = setTimeout(() => this.#watchTime(timeMs), Math.min(Math.ceil(left), 2 ** 31 - 1));
  }

  #grant(spec: DescriptorSpec, ports: MessagePort[]): DescriptorGrant {
    switch (spec.kind) {
      case "null":
        return spec;
      case "stdin":
      case "stdout":
      case "stderr":
        return { ...spec, stream: this[spec.kind].grant };
      case "connect": {
        const pump: ConnectionPump = new ConnectionPump(
          spec.stream,
          this.#bell,
          this.#control,
          () => this.#pumps.delete(pump),
        );
        this.#pumps.add(pump);
        return { kind: "connect", name: spec.name, stream: pump.grant };
      }
      case "listen": {
        if (this.#listeners.has(spec.name)) {
          throw new DonjonError("manifest/value", `two listeners are named '${spec.name}'`);
        }
        const listener = new GateListener(this.#bell, this.#control, this.#pumps);
        this.#listeners.set(spec.name, listener);
        ports.push(listener.workerPort);
        const { words, index, workerPort: port } = listener;
        return { kind: "listen", name: spec.name, words, index, port };
      }
    }
  }

  #hear(report: WorkerReport): void {
    if (this.#finished) return;
    if (report.kind === "running") {
      for (const [name, ms] of report.phases) this.phases.set(name, ms);
      this.onRunning?.();
    } else if (report.kind === "spawn") this.#startWorker(report.order);
    else if (report.kind === "done") this.#finish(report.outcome, report.changes);
    else this.#fail(new DonjonError(report.code, report.message, { details: report.details }));
  }

  #hearError(error: unknown): void {
    const code = (error as { code?: unknown } | null)?.code;
    if (code === "ERR_WORKER_OUT_OF_MEMORY") {
      const value = this.#spec?.limits.memoryBytes ?? 0;
      this.#finish({ kind: "limit", limit: "memory", value }, []);
    } else {
      this.#fail(
        new DonjonError("internal", `A worker of the engine room failed: ${String(error)}`, {
          cause: error,
        }),
      );
    }
  }

  #finish(outcome: WorkloadOutcome, changes: WorkloadResult["changes"]): void {
    if (this.#finished) return;
    const usage = {
      peakMemory: process.resourceUsage().maxRSS * 1024,
      wallMs: this.#started === 0 ? 0 : uptimeMs() - this.#started,
      cpuMs: Math.max(0, workersCpuMs() - this.#cpuBefore),
    };
    this.#end(outcome.kind === "exit").then(() => this.#resolve({ outcome, usage, changes }));
  }

  #fail(error: DonjonError): void {
    if (this.#finished) return;
    this.#end(false).then(() => this.#reject(error));
  }

  /**
   * Ends every thread, then the streams: what was written last is still in the rings. A worker that
   * has told its own end writes no more, and nobody waits for it; nor, for longer than `TERMINATE_MS`,
   * for one that V8 cannot interrupt.
   */
  async #end(quiet: boolean): Promise<void> {
    this.#finished = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const ended = Promise.all([...this.#workers].map((worker) => worker.terminate()));
    if (!quiet || this.#workers.size > 1) await atMost(TERMINATE_MS, ended);
    for (const listener of this.#listeners.values()) listener.close();
    for (const pump of this.#pumps) pump.finish();
    this.stdin.finish();
    this.stdout.finish();
    this.stderr.finish();
  }
}

/** Resolves with `work` or when the time is over, whichever is first. */
function atMost(timeMs: number, work: Promise<unknown>): Promise<unknown> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, timeMs);
  return Promise.race([work.finally(() => clearTimeout(timer)), promise]);
}

/** Buffers that hold exactly what is handed over are moved, not copied; each once. */
function ownedBuffers(views: readonly Uint8Array[]): ArrayBuffer[] {
  const owned = new Set<ArrayBuffer>();
  for (const { buffer, byteLength } of views) {
    if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) owned.add(buffer);
  }
  return [...owned];
}
