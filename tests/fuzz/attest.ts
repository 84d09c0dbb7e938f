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
import { Finding, fuzz } from "./fuzz.ts";
import { createMutator } from "./mutator.ts";
import { createTargets } from "./targets.ts";

const VECTORS =
  process.env["DONJON_VECTORS"] ?? join(import.meta.dirname, "../../../shared/vectors");
/** Files above it are event logs, not evidence. */
const MAX_SEED_BYTES = 65_536;
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
