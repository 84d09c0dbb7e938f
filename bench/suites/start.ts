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

const ROUNDS = 25;
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
  const rows: (string | number)[][] = [];
  for (const engine of engines) {
    const peaks: number[] = [];
    for (let round = 0; round < 7; round++)
      peaks.push((await peakMemory(engine.command(HELLO))) / 2 ** 20);
    rows.push([engine.name, median(peaks)]);
  }
  return `### Peak memory of hello, MiB (all processes added up, medians of 7)\n\n${formatTable(["engine", "MiB"], rows, 1)}\n`;
}
