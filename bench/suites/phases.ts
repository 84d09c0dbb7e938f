/** (d) start, where the time of `donjon run` goes: the phases that its summary tells. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { CACHE, donjon } from "../lib/engines.ts";
import { formatTable, median } from "../lib/stats.ts";

const ROUNDS = 15;
const HELLO = { wasm: join(CACHE, "wasm/hello.wasm") };

/** What each phase of the summary means. Those that end in `at` count from the start of the command's engine. */
const MEANING: Readonly<Record<string, string>> = {
  "spawn at": "command: its engine is up, the Keep is about to be started",
  "load at": "command: its program is loaded",
  "prepare at": "command: flags, manifest and module are read",
  "boot at": "the Keep has answered",
  "start at": "the workload runs",
  engine: "Keep: from the start of its engine to the start of its worker",
  worker: "Keep: from there until the worker was seen to run",
  compile: "worker: module checked and compiled",
  grants: "worker: descriptors and files made",
  instantiate: "worker: module instantiated",
  "exit at": "all output is out, the outcome is known",
};

export function listPhases(): string {
  const phases = new Map<string, number[]>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, ms] of Object.entries(readPhases())) {
      phases.set(name, [...(phases.get(name) ?? []), ms]);
    }
  }
  const rows = [...phases].map(([name, values]) => [
    `${name}: ${MEANING[name] ?? ""}`,
    median(values),
    Math.min(...values),
  ]);
  return `### Phases of a start, ms (${ROUNDS} runs of hello)\n\n${formatTable(["phase", "median", "min"], rows, 1)}\n`;
}

function readPhases(): Record<string, number> {
  const [command = "", ...args] = donjon.command(HELLO);
  const { stderr } = spawnSync(command, args.toSpliced(1, 0, "--json"), { encoding: "utf8" });
  const summary = JSON.parse(stderr) as { run: { phases: Record<string, number> } };
  return summary.run.phases;
}
