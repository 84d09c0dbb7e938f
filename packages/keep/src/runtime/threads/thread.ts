/** One thread of a workload, in a worker of its own: asks the desk for all that is not its own. */

import {
  FUNCTION_NAMES,
  SNAPSHOT_MODULE,
  THREAD_SPAWN,
  THREADS_MODULE,
} from "@donjon/wasi/p1/functions";
import { createPreview1 } from "@donjon/wasi/p1/preview1";
import { WORKER_BELL } from "../control.ts";
import { Doorbell, type SharedWords } from "../doorbell.ts";
import { createEngineClock } from "../engine-clock.ts";
import { createEngineRandom } from "../engine-random.ts";
import type { ThreadOrder } from "../messages.ts";
import { runEntry } from "../run-module.ts";
import type { WorkloadOutcome } from "../workload.ts";
import { CallSlot, CallState, DESK_FUNCTIONS, RETURNED } from "./call-block.ts";

/** Functions that need nothing of the desk. */
const OWN: readonly string[] = ["clock_time_get", "clock_res_get", "random_get", "sched_yield"];

/** Runs the thread to its end. Answers how the workload ended by it, `null`: it goes on, or the desk tells. */
export function runThread(order: ThreadOrder, control: SharedWords): WorkloadOutcome | null {
  const slot = new CallSlot(order.calls, order.slot);
  const desk = new Doorbell(control, WORKER_BELL);
  const own = createPreview1({
    args: [],
    env: [],
    clock: createEngineClock(order.clockFloorNs),
    random: createEngineRandom(),
    waiter: desk,
    descriptors: [],
  });
  own.bindMemory(order.memory);
  const ask = (name: string) => {
    const fn = DESK_FUNCTIONS.indexOf(name);
    return (...values: (number | bigint)[]) => slot.call(fn, values, desk);
  };
  const remote = FUNCTION_NAMES.filter((name) => !OWN.includes(name));
  const functions: WebAssembly.ModuleImports = Object.fromEntries([
    ...OWN.map((name) => [name, own.imports[name]]),
    ...remote.map((name) => [name, ask(name)]),
  ]);
  const outcome = runEntry(
    () => {
      const instance = new WebAssembly.Instance(order.module, {
        [SNAPSHOT_MODULE]: functions,
        [THREADS_MODULE]: { [THREAD_SPAWN]: ask(THREAD_SPAWN) },
        [order.memoryImport.module]: { [order.memoryImport.name]: order.memory },
      });
      if (order.start === null) (instance.exports[order.entry] as () => void)();
      else {
        const start = instance.exports["wasi_thread_start"] as (id: number, arg: number) => void;
        start(order.start.id, order.start.argument);
      }
    },
    own.exit,
    () => null,
  );
  if (outcome.kind !== "exit") return outcome;
  if (order.start === null) ask(RETURNED)();
  slot.state = CallState.free;
  return null;
}
