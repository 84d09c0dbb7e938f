/**
 * The entry of every worker. It waits for one order: to run a workload, or one of its threads. Few
 * modules are loaded, because the start of the worker is on the way of every workload.
 */
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { DonjonError } from "@donjon/core/errors";
import { dropPermissions } from "../node/permissions.ts";
import { uptimeMs } from "../node/uptime.ts";
import { WORKER_BELL } from "./control.ts";
import { disarm } from "./disarm.ts";
import { Doorbell } from "./doorbell.ts";
import { createGuest, type Guest } from "./guest.ts";
import { compileAhead, type LoadedModule, loadModule } from "./load-module.ts";
import type { CompileOrder, RunOrder, WorkerBoot, WorkerReport } from "./messages.ts";
import { PAGE_BYTES } from "./module-check.ts";
import { findStart, runEntry } from "./run-module.ts";
import { createCallBlock } from "./threads/call-block.ts";
import { Desk, type SpawnThread } from "./threads/desk.ts";
import { runThread } from "./threads/thread.ts";
import { warmUp } from "./warm-up.ts";

const port = parentPort;
if (port === null) throw new TypeError("This file runs as a worker");
dropPermissions("fs.read", "fs.write", "worker");
const { control, thread } = workerData as WorkerBoot;

function report(what: WorkerReport, transfer: ArrayBuffer[] = []): void {
  port!.postMessage(what, transfer);
}

function instantiate(loaded: LoadedModule, guest: Guest): WebAssembly.Instance {
  const imports: WebAssembly.Imports = {};
  if (loaded.wasi.has("wasi_snapshot_preview1")) {
    imports["wasi_snapshot_preview1"] = guest.wasi.imports as WebAssembly.ModuleImports;
  }
  if (loaded.wasi.has("wasi_unstable")) {
    imports["wasi_unstable"] = guest.wasi.unstable as WebAssembly.ModuleImports;
  }
  if (loaded.wasi.has("wasi")) imports["wasi"] = guest.wasi.threads as WebAssembly.ModuleImports;
  const instance = new WebAssembly.Instance(loaded.module, imports);
  const memory = Object.values(instance.exports).find((one) => one instanceof WebAssembly.Memory);
  if (memory !== undefined) guest.wasi.bindMemory(memory);
  return instance;
}

/** The module that came ahead of its order. */
let ahead: { readonly bytes: Uint8Array; readonly compiled: WebAssembly.Module | null } | null =
  null;

function run(order: RunOrder): void {
  const times = [uptimeMs()];
  const { bytes, compiled } =
    order.module === null ? ahead! : { bytes: order.module, compiled: null };
  const loaded = loadModule(bytes, order.limits.memoryBytes, compiled);
  times.push(uptimeMs());
  const guest = createGuest(order, control);
  times.push(uptimeMs());
  const outcome = runEntry(
    () => {
      if (loaded.sharedMemory !== null) {
        report({ kind: "running", phases: [] });
        serveThreads(loaded, guest, order);
        return;
      }
      const instance = instantiate(loaded, guest);
      times.push(uptimeMs());
      const names = ["compile", "grants", "instantiate"];
      const phases = names.map((name, i) => [name, times[i + 1]! - times[i]!] as const);
      report({ kind: "running", phases });
      findStart(instance, loaded.entry)();
    },
    guest.wasi.exit,
    guest.reached,
  );
  const changes = outcome.kind === "exit" ? guest.files.collect() : [];
  guest.wasi.close();
  report(
    { kind: "done", outcome, changes },
    changes.map(({ bytes }) => bytes.buffer as ArrayBuffer),
  );
}

/** Runs a workload with threads: this worker holds what is theirs together. */
function serveThreads(
  loaded: LoadedModule,
  guest: Guest,
  { limits, clockFloorNs }: RunOrder,
): void {
  const { module, entry, sharedMemory } = loaded;
  const memoryImport = sharedMemory!;
  const { minimum, maximum } = memoryImport.memory!;
  const memory = new WebAssembly.Memory({
    initial: minimum,
    maximum: Math.min(maximum!, Math.floor(limits.memoryBytes / PAGE_BYTES)),
    shared: true,
  });
  guest.wasi.bindMemory(memory);
  const slots = limits.threads + 1;
  const calls = createCallBlock(slots);
  const spawn: SpawnThread = (slot, start) => {
    const { module: from, name } = memoryImport;
    const spawned = {
      memory,
      memoryImport: { module: from, name },
      calls,
      slot,
      start,
      clockFloorNs,
    };
    report({ kind: "spawn", order: { module, entry, ...spawned } });
  };
  new Desk(guest.wasi.attempts, guest.bell, calls, slots, spawn).serve();
}

/** Blocks until the order to run has come: the event loop of a worker takes milliseconds to get going. */
function waitForOrder(first: Order | null): RunOrder {
  const bell = new Doorbell(control, WORKER_BELL);
  for (let order = first; ; ) {
    if (order !== null && "module" in order) return order;
    if (order !== null) ahead = { bytes: order.ahead, compiled: compileAhead(order.ahead) };
    const seen = bell.epoch();
    order = takeOrder();
    if (order === null) bell.wait(seen, null);
  }
}

type Order = CompileOrder | RunOrder;

function takeOrder(): Order | null {
  const received = receiveMessageOnPort(port!) as { message: Order } | undefined;
  return received?.message ?? null;
}

function main(): void {
  disarm();
  if (thread !== null) {
    const outcome = runThread(thread, control);
    if (outcome !== null) report({ kind: "done", outcome, changes: [] });
    return;
  }
  const first = takeOrder();
  if (first === null) warmUp(control);
  run(waitForOrder(first));
}

try {
  main();
} catch (error) {
  if (error instanceof DonjonError) {
    const { code, message, details } = error;
    report({ kind: "refused", code, message, details });
  } else if (error instanceof RangeError) {
    report({ kind: "refused", code: "workload/limit", message: error.message, details: {} });
  } else throw error;
}
