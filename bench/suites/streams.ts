/** 1 GiB from a file through stdin to stdout, hashes compared. */
import { spawn } from "node:child_process";
import { createHash, type Hash } from "node:crypto";
import { join } from "node:path";
import { CACHE, donjon, type Engine, nodeWasi, wasmtime } from "../lib/engines.ts";
import { formatTable, median } from "../lib/stats.ts";

const BYTES = 1 << 30;
const ROUNDS = 7;
const CAT = { wasm: join(CACHE, "wasm/cat.wasm") };

/** MB/s of one run; throws when what comes out is not what went in. */
async function pour(engine: Engine): Promise<number> {
  const [file = "", ...args] = engine.command(CAT);
  const started = performance.now();
  const child = spawn(file, args, { stdio: ["pipe", "pipe", "inherit"] });
  const block = Buffer.alloc(1 << 20);
  const sent: Hash = createHash("sha1");
  const got: Hash = createHash("sha1");
  child.stdout.on("data", (bytes: Buffer) => got.update(bytes));
  const ended = new Promise((resolve) => child.stdout.once("end", resolve));
  for (let at = 0; at < BYTES; at += block.length) {
    block.writeUInt32LE(at, at % 4096);
    const piece = Buffer.from(block);
    sent.update(piece);
    if (!child.stdin.write(piece))
      await new Promise((resolve) => child.stdin.once("drain", resolve));
  }
  child.stdin.end();
  await ended;
  const rate = BYTES / 1e3 / (performance.now() - started);
  if (sent.digest("hex") !== got.digest("hex"))
    throw new Error(`${engine.name} changed the stream`);
  return rate;
}

export async function benchStreams(): Promise<string> {
  const rows: (string | number)[][] = [];
  for (const engine of [donjon, nodeWasi, wasmtime]) {
    const rates: number[] = [];
    for (let round = 0; round < ROUNDS; round++) rates.push(await pour(engine));
    rows.push([engine.name, median(rates)]);
  }
  return `### 1 GiB through stdin and stdout, MB/s (medians of ${ROUNDS}; the driver hashes both ways)\n\n${formatTable(["engine", "MB/s"], rows)}\n`;
}
