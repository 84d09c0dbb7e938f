/** 1 GiB from a file through stdin and stdout to a file, both in memory; hashes compared afterwards. */
import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { closeSync, createReadStream, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { CACHE, donjon, type Engine, nodeWasi, wasmtime } from "../lib/engines.ts";
import { formatTable, median } from "../lib/stats.ts";

const BYTES = 1 << 30;
const BLOCK_BYTES = 1 << 20;
const ROUNDS = 7;
const CAT = { wasm: join(CACHE, "wasm/cat.wasm") };

async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: BLOCK_BYTES }), hash);
  return hash.digest("hex");
}

function writeInput(path: string): void {
  const file = openSync(path, "w");
  for (let at = 0; at < BYTES; at += BLOCK_BYTES) writeSync(file, randomBytes(BLOCK_BYTES));
  closeSync(file);
}

/** MB/s of one run, from spawn to exit. */
function pour(engine: Engine, from: string, to: string): number {
  const [file = "", ...args] = engine.command(CAT);
  const input = openSync(from, "r");
  const output = openSync(to, "w");
  const started = performance.now();
  const { status } = spawnSync(file, args, { stdio: [input, output, "inherit"] });
  const ms = performance.now() - started;
  closeSync(input);
  closeSync(output);
  if (status !== 0) throw new Error(`${engine.name} ended with ${status}`);
  return BYTES / 1e3 / ms;
}

export async function benchStreams(): Promise<string> {
  const folder = mkdtempSync("/dev/shm/donjon-bench-");
  const from = join(folder, "in");
  const to = join(folder, "out");
  try {
    writeInput(from);
    const wanted = await hashFile(from);
    const engines = [donjon, nodeWasi, wasmtime];
    const rates = engines.map(() => [] as number[]);
    for (let round = 0; round < ROUNDS; round++) {
      for (const [at, engine] of engines.entries()) {
        rates[at]!.push(pour(engine, from, to));
        if ((await hashFile(to)) !== wanted) throw new Error(`${engine.name} changed the stream`);
      }
    }
    const rows = engines.map(({ name }, at) => [name, median(rates[at]!), Math.max(...rates[at]!)]);
    return `### 1 GiB through stdin and stdout, MB/s (${ROUNDS} runs, equal hashes)\n\n${formatTable(["engine", "median", "best"], rows)}\n`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
