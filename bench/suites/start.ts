/** (d) start: from the command to its exit; (e) peak memory. */
import { join } from "node:path";
import {
  CACHE,
  donjon,
  ENGINE,
  type Engine,
  nodeWasi,
  peakMemory,
  run,
  wasmtime,
} from "../lib/engines.ts";
import { formatTable, median } from "../lib/stats.ts";
import { findPrograms } from "./programs.ts";

const ROUNDS = 25;
const MEMORY_ROUNDS = 7;
const HELLO = { wasm: join(CACHE, "wasm/hello.wasm") };

export function benchStart(): string {
  const commands: Readonly<Record<string, readonly string[]>> = {
    "node -e 0 (pinned engine)": [ENGINE, "-e", "0"],
    "donjon run": donjon.command(HELLO),
    "node:wasi": nodeWasi.command(HELLO),
    "wasmtime run": wasmtime.command(HELLO),
  };
  const times: Record<string, number[]> = {};
  // One of each in turn, so that a change of the machine's mood meets all alike.
  for (let round = -2; round < ROUNDS; round++) {
    for (const [name, command] of Object.entries(commands)) {
      const { ms } = run(command);
      if (round >= 0) times[name] = [...(times[name] ?? []), ms];
    }
  }
  const bare = median(times["node -e 0 (pinned engine)"] ?? []);
  const rows = Object.entries(times).map(([name, values]) => [
    name,
    median(values),
    Math.min(...values),
    median(values) / bare,
  ]);
  return `### Start: hello to exit, ms (medians of ${ROUNDS})\n\n${formatTable(["command", "median", "min", "ratio to bare engine"], rows)}\n`;
}

export async function benchMemory(): Promise<string> {
  const engines: readonly Engine[] = [donjon, nodeWasi, wasmtime];
  const clang = findPrograms().find(({ name }) => name === "clang")!.program;
  const rows: (string | number)[][] = [];
  for (const engine of engines) {
    const row: (string | number)[] = [engine.name];
    for (const program of [HELLO, clang]) {
      const peaks: number[] = [];
      for (let round = 0; round < MEMORY_ROUNDS; round++) {
        peaks.push((await peakMemory(engine.command(program))) / 2 ** 20);
      }
      row.push(median(peaks));
    }
    rows.push(row);
  }
  return `### Peak memory, MiB (all processes added up, medians of ${MEMORY_ROUNDS})\n\n${formatTable(["engine", "hello", "clang -O2"], rows, 1)}\n`;
}
