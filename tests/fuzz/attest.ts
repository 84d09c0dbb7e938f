/**
 * Fuzzes every reader and verifier of `@donjon/attest` with changed evidence: whatever comes in, only the error class comes out, in
 * bounded time and memory, and nothing changed is taken for genuine.
 *
 * Usage: sh tools/node.sh tests/fuzz/attest.ts [--seconds N] [--seed N]
 * Ends with 1 at the first finding, which it writes as base64 so that it can become a test.
 */
import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { DonjonError } from "@donjon/core/errors";
import { createMutator, type Mutator } from "./mutator.ts";
import { createTargets, type Target } from "./targets.ts";

const VECTORS =
  process.env["DONJON_VECTORS"] ?? join(import.meta.dirname, "../../../shared/vectors");
/** Files above it are event logs, not evidence. */
const MAX_SEED_BYTES = 65_536;
/** Milliseconds of one input on a busy machine; good ones take two to seven. */
const MAX_INPUT_MS = 2000;
/** Octets that the heap may have grown by at a check, garbage collected or not. */
const MAX_HEAP_BYTES = 512 << 20;
const HEAP_CHECK_EVERY = 4096;
const SAY_EVERY_MS = 60_000;

interface Tally {
  inputs: number;
  refused: number;
  returned: number;
  slowestMs: number;
  peakHeapBytes: number;
}

class Finding extends Error {
  override readonly name = "Finding";
}

function readVectors(): Uint8Array[] {
  if (!existsSync(VECTORS)) {
    console.error(`no vectors at ${VECTORS}: made-up evidence alone is the corpus`);
    return [];
  }
  return globSync("**/*", { cwd: VECTORS })
    .sort()
    .map((name) => join(VECTORS, name))
    .filter((path) => statSync(path).isFile() && statSync(path).size <= MAX_SEED_BYTES)
    .map((path) => new Uint8Array(readFileSync(path)));
}

async function fuzz(targets: readonly Target[], mutator: Mutator, seconds: number): Promise<Tally> {
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

const { values } = parseArgs({
  options: { seconds: { type: "string" }, seed: { type: "string" } },
});
const seconds = Number(values.seconds ?? 60);
const seed = Number(values.seed ?? Date.now() % 2 ** 32);
const vectors = readVectors();
const targets = await createTargets(vectors);
console.error(`seed ${seed}, ${seconds} s, ${vectors.length} vectors, ${targets.length} targets`);
try {
  const tally = await fuzz(targets, createMutator(seed), seconds);
  console.log(
    JSON.stringify({ seed, seconds, vectors: vectors.length, targets: targets.length, ...tally }),
  );
} catch (error) {
  if (!(error instanceof Finding)) throw error;
  console.error(`FINDING (seed ${seed}): ${error.message}`);
  process.exitCode = 1;
}
