/** (a) CPU: whole commands, Donjon beside wasmtime and native code; and the same less what each takes for a program that does nothing. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import {
  CACHE,
  donjon,
  type Engine,
  native,
  ROOT,
  run,
  wasmtime,
  wasmtimeWithoutCache,
} from "../lib/engines.ts";
import { formatTable, geometricMean, median } from "../lib/stats.ts";
import { findPrograms, type ProgramCase } from "./programs.ts";

const ROUNDS = 7;
/** What takes longer than this is not run a second time. */
const ONCE_MS = 30_000;
const PEERS: readonly Engine[] = [wasmtime, wasmtimeWithoutCache];

function findCases(): ProgramCase[] {
  const kernels = readdirSync(join(ROOT, "bench/kernels"))
    .filter((name) => name.endsWith(".c"))
    .map((name) => name.slice(0, -2))
    .map((name) => ({ name, program: { wasm: join(CACHE, `wasm/${name}.wasm`) }, native: true }));
  return [...kernels, ...findPrograms()];
}

/** Medians by engine, all of which must print the same. The first run of each is not counted. */
function measure({ name, program, native: hasNative }: ProgramCase): number[] {
  const engines = [donjon, ...PEERS, ...(hasNative ? [native] : [])];
  const times = engines.map(() => [] as number[]);
  const outputs = new Set<string>();
  for (let round = 0; round <= ROUNDS; round++) {
    engines.forEach((engine, at) => {
      // What has no cache learns nothing from a run that is not counted.
      if (round === 0 && engine === wasmtimeWithoutCache) return;
      if ((times[at]![0] ?? 0) > ONCE_MS) return;
      const { ms, stdout } = run(engine.command(program));
      outputs.add(stdout);
      if (round > 0) times[at]!.push(ms);
    });
  }
  if (outputs.size !== 1) throw new Error(`'${name}' gave ${outputs.size} different outputs`);
  return times.map(median);
}

/** Start and end of each engine, which has a bench of its own. */
const HELLO: ProgramCase = {
  name: "hello",
  program: { wasm: join(CACHE, "wasm/hello.wasm") },
  native: false,
};

export function benchCpu(): string {
  const rows: (string | number)[][] = [];
  const ratios: number[][] = PEERS.map(() => []);
  const without: number[][] = PEERS.map(() => []);
  const [ownStart = 0, ...peerStarts] = measure(HELLO);
  rows.push(["hello", ownStart, ...peerStarts, "-", ...PEERS.map(() => "-"), "-"]);
  for (const each of findCases()) {
    const [own = 0, ...others] = measure(each);
    const peers = others.slice(0, PEERS.length);
    const bare = others[PEERS.length];
    peers.forEach((peer, at) => {
      ratios[at]!.push(own / peer);
      without[at]!.push((own - ownStart) / (peer - peerStarts[at]!));
    });
    rows.push([
      each.name,
      own,
      ...peers,
      bare ?? "-",
      ...peers.map((peer) => own / peer),
      bare === undefined ? "-" : own / bare,
    ]);
    console.error(`  ${each.name}: ${[own, ...others].map((ms) => ms.toFixed(0)).join(" / ")} ms`);
  }
  const blank = ["", "", "", ""];
  rows.push(["geometric mean", ...blank, ...ratios.map(geometricMean), ""]);
  rows.push(["less hello's time", ...blank, ...without.map(geometricMean), ""]);
  const names = ["donjon", "wasmtime", "wasmtime, no cache", "native -O2"];
  const against = ["/ wasmtime", "/ wasmtime, no cache", "/ native"];
  return `### CPU: whole command, ms (medians of ${ROUNDS}; above ${ONCE_MS / 1000} s, one run)\n\n${formatTable(["program", ...names, ...against], rows)}\n`;
}
