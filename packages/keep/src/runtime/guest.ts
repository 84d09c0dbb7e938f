/** What a workload is given: descriptors, files, clocks, random numbers, as one instance of WASI. */
import type { Clock } from "@donjon/wasi/capability/clock";
import { createPreview1, type Grant, type Preview1 } from "@donjon/wasi/p1/preview1";
import { STDIO_RING_BYTES, WORKER_BELL } from "./control.ts";
import { Doorbell, type SharedWords } from "./doorbell.ts";
import { createEngineClock } from "./engine-clock.ts";
import { createEngineRandom } from "./engine-random.ts";
import { StreamSignal } from "./gate-bell.ts";
import { createGuestFiles, type GuestFiles } from "./guest-files.ts";
import {
  HandedListener,
  type Meter,
  openConnection,
  RingInput,
  RingOutput,
} from "./guest-streams.ts";
import type { DescriptorGrant, RunOrder } from "./messages.ts";
import { RingReader, RingWriter } from "./ring.ts";
import { LimitReached } from "./run-module.ts";

export interface Guest {
  readonly wasi: Preview1;
  readonly files: GuestFiles;
  readonly clock: Clock;
  /** The doorbell on which this thread waits. */
  readonly bell: Doorbell;
  /** The limit that the workload has reached, if any. */
  readonly reached: () => LimitReached | null;
}

/** Throws `DonjonError` for files that do not fit, `RangeError` for arguments that WASI cannot carry. */
export function createGuest(order: Omit<RunOrder, "module">, control: SharedWords): Guest {
  const clock = createEngineClock(order.clockFloorNs);
  const bell = new Doorbell(control, WORKER_BELL);
  const files = createGuestFiles(order, clock);
  const meter = new OutputMeter(order.limits.outputBytes);
  const wasi = createPreview1({
    args: order.args,
    env: order.env,
    clock,
    random: createEngineRandom(),
    waiter: bell,
    descriptors: order.descriptors.map((grant) => openGrant(grant, control, meter.take)),
    preopens: files.preopens,
    descriptorLimit: order.limits.descriptors,
  });
  return { wasi, files, clock, bell, reached: () => meter.reached };
}

function openGrant(grant: DescriptorGrant, control: SharedWords, meter: Meter): Grant {
  switch (grant.kind) {
    case "null":
      return { kind: "null" };
    case "stdin": {
      const { buffer, index } = grant.stream;
      const signal = new StreamSignal(control, index);
      return {
        kind: "input",
        stream: new RingInput(new RingReader(buffer, 0, STDIO_RING_BYTES, signal)),
        terminal: grant.terminal,
      };
    }
    case "stdout":
    case "stderr": {
      const { buffer, index } = grant.stream;
      const ring = new RingWriter(buffer, 0, STDIO_RING_BYTES, new StreamSignal(control, index));
      const stream = new RingOutput(ring, meter);
      return { kind: "output", stream, terminal: grant.terminal };
    }
    case "connect":
      return { kind: "connection", connection: openConnection(control, grant.stream) };
    case "listen":
      return {
        kind: "listener",
        listener: new HandedListener(control, grant.words, grant.port, grant.index),
      };
  }
}

/** Counts what leaves by stdout and stderr together. */
class OutputMeter {
  reached: LimitReached | null = null;
  readonly #limit: number | null;
  #left: number;

  constructor(limit: number | null) {
    this.#limit = limit;
    this.#left = limit ?? 0;
  }

  readonly take: Meter = (wanted) => {
    if (this.#limit === null) return wanted;
    if (this.#left === 0) {
      this.reached ??= new LimitReached("output", this.#limit);
      throw this.reached;
    }
    const taken = Math.min(wanted, this.#left);
    this.#left -= taken;
    return taken;
  };
}
