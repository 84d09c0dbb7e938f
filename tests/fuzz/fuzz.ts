/** The loop: inputs to targets in turn, until the time is over or something is found. */
import { DonjonError } from "@donjon/core/errors";
import type { Mutator } from "./mutator.ts";
import type { Target } from "./targets.ts";

/** Milliseconds of one input on a busy machine; good ones take two to seven. */
const MAX_INPUT_MS = 2000;
/** Octets that the heap may have grown by at a check, garbage collected or not. */
const MAX_HEAP_BYTES = 512 << 20;
const HEAP_CHECK_EVERY = 4096;
const SAY_EVERY_MS = 60_000;

export interface Tally {
  inputs: number;
  refused: number;
  returned: number;
  slowestMs: number;
  peakHeapBytes: number;
}

export class Finding extends Error {
  override readonly name = "Finding";
}

/** @throws Finding at the first one */
export async function fuzz(
  targets: readonly Target[],
  mutator: Mutator,
  seconds: number,
): Promise<Tally> {
  const tally: Tally = { inputs: 0, refused: 0, returned: 0, slowestMs: 0, peakHeapBytes: 0 };
  const started = performance.now();
  const heapBefore = process.memoryUsage().heapUsed;
  let said = started;
  while (performance.now() - started < 1000 * seconds) {
    const target = targets[tally.inputs % targets.length]!;
    await runInput(target, mutator.next(target.seeds), tally);
    if (tally.inputs % HEAP_CHECK_EVERY === 0) {
      const grown = process.memoryUsage().heapUsed - heapBefore;
      tally.peakHeapBytes = Math.max(tally.peakHeapBytes, grown);
      if (grown > MAX_HEAP_BYTES) throw new Finding(`the heap grew by ${grown} octets`);
    }
    if (performance.now() - said > SAY_EVERY_MS) {
      said = performance.now();
      console.error(`${Math.round((said - started) / 1000)} s: ${JSON.stringify(tally)}`);
    }
  }
  return tally;
}

async function runInput(target: Target, input: Uint8Array, tally: Tally): Promise<void> {
  const finding = (what: string) =>
    new Finding(`${target.name}: ${what}\n${Buffer.from(input).toString("base64")}`);
  const started = performance.now();
  tally.inputs++;
  try {
    const found = await target.run(input);
    tally.returned++;
    if (typeof found === "string") throw finding(found);
  } catch (error) {
    if (error instanceof Finding) throw error;
    if (!(error instanceof DonjonError))
      throw finding(error instanceof Error ? (error.stack ?? error.message) : String(error));
    tally.refused++;
  }
  const tookMs = performance.now() - started;
  tally.slowestMs = Math.max(tally.slowestMs, tookMs);
  if (tookMs > MAX_INPUT_MS) throw finding(`took ${Math.round(tookMs)} ms`);
}
