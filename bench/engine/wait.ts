/**
 * How a workload should wait: by blocking its thread (`Atomics.wait`) or by suspending its stack (JSPI
 * and `Atomics.waitAsync`). The same guest, the same rings; figures in docs/decisions/0021-waiting.md.
 * Usage: sh tools/node.sh bench/engine/wait.ts
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import {
  CONTROL_WORDS,
  STDIO_RING_BYTES,
  WORKER_BELL,
} from "../../packages/keep/src/runtime/control.ts";
import { Doorbell, type SharedWords } from "../../packages/keep/src/runtime/doorbell.ts";
import { createEngineClock } from "../../packages/keep/src/runtime/engine-clock.ts";
import { GateBell, StreamSignal } from "../../packages/keep/src/runtime/gate-bell.ts";
import { RingInput, RingOutput } from "../../packages/keep/src/runtime/guest-streams.ts";
import { RingReader, RingWriter, ringBytes } from "../../packages/keep/src/runtime/ring.ts";
import type { AsyncWaiter } from "../../packages/wasi/src/capability/stream.ts";
import { createJspiImports, createPromising } from "../../packages/wasi/src/p1/driver/jspi.ts";
import { createPreview1 } from "../../packages/wasi/src/p1/preview1.ts";

interface Setup {
  readonly mode: "block" | "suspend";
  readonly control: SharedWords;
  readonly input: SharedArrayBuffer;
  readonly output: SharedArrayBuffer;
}

const GUEST = join(import.meta.dirname, "../../packages/keep/test/runtime/guests/echo.wasm");
const ROUND_TRIPS = 20_000;
const TOTAL_BYTES = 2 ** 30;
const PIECE = new Uint8Array(65_536).fill(1);

async function runGuest({ mode, control, input, output }: Setup): Promise<void> {
  const bell = new Doorbell(control, WORKER_BELL);
  const reader = new RingReader(input, 0, STDIO_RING_BYTES, new StreamSignal(control, 0));
  const writer = new RingWriter(output, 0, STDIO_RING_BYTES, new StreamSignal(control, 1));
  const wasi = createPreview1({
    args: [],
    env: [],
    clock: createEngineClock(0n),
    random: { fill() {} },
    waiter: bell,
    descriptors: [
      { kind: "input", stream: new RingInput(reader) },
      { kind: "output", stream: new RingOutput(writer) },
    ],
  });
  const waiter: AsyncWaiter = {
    epoch: () => bell.epoch(),
    wait: (seen) => new Promise((resolve) => bell.onceRung(seen, resolve)),
  };
  const imports = mode === "block" ? wasi.imports : createJspiImports(wasi.attempts, waiter);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(GUEST)), {
    wasi_snapshot_preview1: imports as WebAssembly.ModuleImports,
  });
  wasi.bindMemory(instance.exports["memory"] as WebAssembly.Memory);
  parentPort!.postMessage("ready");
  const start = instance.exports["_start"] as () => void;
  if (mode === "block") start();
  else {
    // A worker lives as long as something holds its event loop, which `Atomics.waitAsync` does not.
    const hold = setInterval(() => {}, 1e6);
    await createPromising(start)();
    clearInterval(hold);
  }
}

async function measure(mode: Setup["mode"]): Promise<void> {
  const control = new Int32Array(new SharedArrayBuffer(CONTROL_WORDS * 4));
  const input = new SharedArrayBuffer(ringBytes(STDIO_RING_BYTES));
  const output = new SharedArrayBuffer(ringBytes(STDIO_RING_BYTES));
  const setup: Setup = { mode, control, input, output };
  const worker = new Worker(new URL(import.meta.url), { workerData: setup });
  await new Promise((resolve) => worker.once("message", resolve));
  const gate = new GateBell(control);
  const bell = new Doorbell(control, WORKER_BELL);
  const writer = new RingWriter(input, 0, STDIO_RING_BYTES, bell);
  const reader = new RingReader(output, 0, STDIO_RING_BYTES, bell);
  let turn: () => void = () => {};
  gate.add(() => turn());
  gate.add(() => turn());

  const tripUs = await new Promise<number>((resolve) => {
    let trips = 0;
    const started = performance.now();
    turn = () => {
      if (reader.available() === 0) return;
      reader.consume(1);
      if (++trips === ROUND_TRIPS) resolve(((performance.now() - started) / trips) * 1000);
      else writer.write(PIECE, 0, 1);
    };
    writer.write(PIECE, 0, 1);
  });

  const rate = await new Promise<number>((resolve) => {
    let sent = 0;
    let got = 0;
    const started = performance.now();
    turn = () => {
      for (let moved = -1; moved !== sent + got; ) {
        moved = sent + got;
        if (sent < TOTAL_BYTES)
          sent += writer.write(PIECE, 0, Math.min(PIECE.length, TOTAL_BYTES - sent));
        const bytes = reader.view();
        got += bytes.length;
        reader.consume(bytes.length);
      }
      if (got === TOTAL_BYTES) resolve(TOTAL_BYTES / (performance.now() - started) / 1e6);
    };
    turn();
  });
  console.log(
    `${mode}: round trip of 1 byte ${tripUs.toFixed(1)} us, echo of 1 GiB ${rate.toFixed(2)} GB/s`,
  );
  await worker.terminate();
  gate.close();
}

if (isMainThread) {
  for (const mode of ["block", "suspend", "block", "suspend"] as const) await measure(mode);
  process.exit(0);
} else await runGuest(workerData as Setup);
