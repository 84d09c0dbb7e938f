/** (b) nanoseconds per host call and (c) file I/O, both measured by the guest itself. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CACHE, donjon, type Engine, nodeWasi, run, wasmtime } from "../lib/engines.ts";
import { formatTable, median } from "../lib/stats.ts";

const ROUNDS = 7;
const ENGINES: readonly Engine[] = [donjon, nodeWasi, wasmtime];

/** Runs a guest that prints `name number` lines in every engine; rows of medians. */
function measureRows(guest: string, args: readonly string[]): Map<string, number[]> {
  const wasm = join(CACHE, `wasm/${guest}.wasm`);
  const values = new Map<string, Map<string, number[]>>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const engine of ENGINES) {
      const host = mkdtempSync(join(tmpdir(), "donjon-bench-"));
      const { stdout } = run(
        engine.command({ wasm, args, mounts: [{ host, guest: "/work", writable: true }] }),
      );
      rmSync(host, { recursive: true });
      for (const line of stdout.trim().split("\n")) {
        const [name = "", value = ""] = line.split(" ");
        const row = values.get(name) ?? new Map<string, number[]>();
        values.set(name, row.set(engine.name, [...(row.get(engine.name) ?? []), Number(value)]));
      }
    }
  }
  return new Map(
    [...values].map(([name, row]) => [
      name,
      ENGINES.map((engine) => median(row.get(engine.name) ?? [])),
    ]),
  );
}

export function benchCalls(): string {
  const rows = [...measureRows("calls", [])].map(([name, [own = 0, node = 0, time = 0]]) => [
    name,
    own,
    node,
    time,
    Math.min(node, time) / own,
  ]);
  return `### Host calls, ns (medians of ${ROUNDS}; best of 5 loops in each)\n\n${formatTable(["call", "donjon", "node:wasi", "wasmtime", "faster than the better peer, times"], rows, 1)}\n`;
}

export function benchFiles(): string {
  const rows = [...measureRows("files", ["/work/files.bin"])].map(([name, values]) => [
    name,
    ...values,
  ]);
  return `### File I/O, GB/s (medians of ${ROUNDS})\n\n${formatTable(["row", ...ENGINES.map((engine) => engine.name)], rows)}\n`;
}
