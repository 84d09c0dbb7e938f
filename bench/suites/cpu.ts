/** (a) CPU: whole commands, Donjon beside wasmtime and native code. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { CACHE, donjon, native, type Program, ROOT, run, wasmtime } from "../lib/engines.ts";
import { formatTable, geometricMean, median } from "../lib/stats.ts";
import { findPrograms } from "./programs.ts";

const ROUNDS = 7;

interface Case {
  readonly name: string;
  readonly program: Program;
  readonly native: boolean;
}

function findCases(): Case[] {
  const kernels = readdirSync(join(ROOT, "bench/kernels"))
    .filter((name) => name.endsWith(".c"))
    .map((name) => name.slice(0, -2))
    .map((name) => ({ name, program: { wasm: join(CACHE, `wasm/${name}.wasm`) }, native: true }));
  return [...kernels, ...findPrograms().filter(({ program }) => existsSync(program.wasm))];
}

export function benchCpu(): string {
  const rows: (string | number)[][] = [];
  const toWasmtime: number[] = [];
  for (const { name, program, native: hasNative } of findCases()) {
    const engines = hasNative ? [donjon, wasmtime, native] : [donjon, wasmtime];
    const times = engines.map(() => [] as number[]);
    const outputs = new Set<string>();
    for (let round = 0; round < ROUNDS; round++) {
      engines.forEach((engine, at) => {
        const { ms, stdout } = run(engine.command(program));
        times[at]!.push(ms);
        outputs.add(stdout);
      });
    }
    if (outputs.size !== 1) throw new Error(`'${name}' gave ${outputs.size} different outputs`);
    const [own = 0, peer = 0, bare = 0] = times.map(median);
    toWasmtime.push(own / peer);
    rows.push([name, own, peer, hasNative ? bare : "-", own / peer, hasNative ? own / bare : "-"]);
    console.error(`  ${name}: ${own.toFixed(0)} ms, wasmtime ${peer.toFixed(0)} ms`);
  }
  rows.push(["geometric mean", "", "", "", geometricMean(toWasmtime), ""]);
  return `### CPU: whole command, ms (medians of ${ROUNDS})\n\n${formatTable(["program", "donjon", "wasmtime", "native -O2", "donjon / wasmtime", "donjon / native"], rows)}\n`;
}
