/**
 * Where the start of a VM Keep goes, by phase: sh tools/node.sh bench/vm/run.ts. Each phase is the difference between two
 * machines, of which one goes a step further. Beside it the guest's instructions (QEMU's `-icount`: one
 * nanosecond of guest time each), and what the same work takes on this machine without an emulator. Prints tables.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSession } from "@donjon/client/session";
import { findQemu } from "@donjon/host/backend/qemu/find";
import { createVmBackend } from "@donjon/host/backend/vm";
import type { KeepImageFiles } from "@donjon/host/image/find";
import { encodeHelloGuest } from "@donjon/testkit/contract/guests";
import { createProvision, startKeep } from "@donjon/testkit/contract/keep-fixture";
import { DONJON } from "../../tests/support/keep.ts";
import { listTree, residentBytes } from "../../tests/support/processes.ts";
import { formatTable, median } from "../lib/stats.ts";
import { bootMachine, createMachines, needImage } from "./machines.ts";

const ROUNDS = Number(process.env["DONJON_BENCH_ROUNDS"] ?? 5);
/** A processor's instructions in a millisecond, taken low: one for each cycle at 2.5 GHz. */
const INSTRUCTIONS_PER_MS = 2.5e6;

type Samples = Map<string, number[]>;

/** Marks of one Keep, milliseconds since its spawn; and its memory when it is idle. */
async function bootKeep(image: KeepImageFiles, samples: Samples): Promise<void> {
  const backend = createVmBackend(image, { qemu: findQemu()!, accelerator: "tcg" });
  const started = performance.now();
  const note = (name: string) => add(samples, name, performance.now() - started);
  await using under = startKeep(backend);
  under.keep.in.once("data", () => note("runtime, to its first octet on the gate"));
  const session = openSession(under.gate.openBareSession());
  await session.hello;
  note("session, to the Keep's hello");
  for (const mark of listTree(process.pid)) {
    if (/qemu/.test(readFileSync(`/proc/${mark.pid}/comm`, "utf8")))
      add(samples, "memory", residentBytes(mark));
  }
  const run = session.provision(createProvision(encodeHelloGuest("hello\n")));
  run.stdout.once("data", () => note("workload, to its first octet"));
  await run.result;
}

/** The command with simulated evidence: from the machine's spawn to the moment that the evidence is found genuine. */
function runAttested(folder: string, samples: Samples): void {
  const module = join(folder, "hello.wasm");
  writeFileSync(module, encodeHelloGuest("hello\n"));
  const args = ["run", "--insecure", "--attest", "--backend", "vm", "--json", module];
  const { stderr, status } = spawnSync(DONJON, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`donjon ${args.join(" ")}: ${stderr}`);
  const line = stderr.split("\n").find((each) => each.startsWith('{"run"'));
  const { phases } = (JSON.parse(line!) as { run: { phases: Record<string, number> } }).run;
  add(samples, "attested", phases["verify at"]! - phases["spawn at"]!);
}

function add(samples: Samples, name: string, value: number): void {
  samples.set(name, [...(samples.get(name) ?? []), value]);
}

/** Milliseconds of the same work without a machine, by the name of the phase. */
function measureFloors(image: KeepImageFiles): ReadonlyMap<string, number> {
  const time = (work: () => void): number => {
    const all = Array.from({ length: 5 }, () => {
      const before = performance.now();
      work();
      return performance.now() - before;
    });
    return Math.min(...all);
  };
  const initrd = readFileSync(image.initrd);
  const copy = Buffer.alloc(initrd.length);
  const read = () => [image.vmlinux, image.initrd].map((path) => readFileSync(path));
  const engine = () => spawnSync(process.execPath, ["-e", "0"]);
  return new Map([
    ["QEMU and firmware, to the kernel's first line", time(read)],
    ["unpacking the initrd", time(() => initrd.copy(copy))],
    ["first process and engine, to the first line of JavaScript", time(engine)],
  ]);
}

async function main(): Promise<void> {
  const image = needImage();
  const folder = mkdtempSync(join(tmpdir(), "donjon-bench-"));
  const samples: Samples = new Map();
  const counts = new Map<string, number>();
  try {
    const machines = createMachines(image, folder);
    for (let round = 0; round < ROUNDS; round++) {
      for (const machine of machines)
        add(samples, machine.name, (await bootMachine(image, machine)).ms);
      await bootKeep(image, samples);
      runAttested(folder, samples);
    }
    for (const machine of machines.slice(1))
      counts.set(machine.name, (await bootMachine(image, machine, true)).instructions);
  } finally {
    rmSync(folder, { recursive: true });
  }
  const memory = samples.get("memory") ?? [0];
  samples.delete("memory");
  const attested = samples.get("attested") ?? [0];
  samples.delete("attested");
  const floors = measureFloors(image);
  let before = 0;
  let counted = 0;
  const rows = [...samples].map(([name, values]) => {
    const at = Math.min(...values);
    const count = counts.get(name);
    const own = count === undefined ? null : count - counted;
    counted = count ?? counted;
    const row = [
      name,
      at - before,
      at,
      median(values),
      own === null ? "" : own / 1e6,
      own === null ? "" : own / INSTRUCTIONS_PER_MS,
      floors.get(name) ?? "",
    ];
    before = at;
    return row;
  });
  const columns = [
    "phase",
    "ms",
    "ms since spawn, best",
    "median",
    "million instructions",
    "ms at 2.5 a ns",
    "ms without a machine",
  ];
  const mib = (path: string) => (statSync(path).size / 2 ** 20).toFixed(1);
  console.log(`### Start of a VM Keep under TCG (${ROUNDS} runs)\n`);
  console.log(`${formatTable(columns, rows, 0)}\n`);
  console.log(
    `From spawn to verified evidence: ${Math.min(...attested).toFixed(0)} ms best, ${median(attested).toFixed(0)} ms median.\n`,
  );
  console.log(
    `Idle memory of QEMU: ${(median(memory) / 2 ** 20).toFixed(0)} MiB. Kernel ${mib(image.vmlinux)} MiB, initrd ${mib(image.initrd)} MiB; compressed ${mib(image.kernel)} and ${mib(image.initrdCompressed)} MiB.`,
  );
}

await main();
