/**
 * `donjon deploy` as a user runs it, from the start of the command to the first byte of the program's output, with Keeps that the agent
 * started before and with Keeps that it starts for the deployment; phases as the command tells them.
 *
 * Usage: sh tools/node.sh bench/session/deploy.ts [rounds]
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { encodeHelloGuest } from "@donjon/testkit/contract/guests";
import { DONJON } from "../../tests/support/keep.ts";
import { formatTable, median } from "../lib/stats.ts";

const ROUNDS = Number(process.argv[2] ?? 15);
/** Time in which the agent has put another Keep in the place of the one it gave away. */
const REFILL_MS = 1500;

type Samples = Map<string, number[]>;

/** A command of a user with a home of its own. */
function start(home: string, args: readonly string[]) {
  const env = {
    ...process.env,
    HOME: home,
    XDG_STATE_HOME: home,
    XDG_CONFIG_HOME: home,
    XDG_RUNTIME_DIR: home,
  };
  return spawn(DONJON, args, { env, stdio: ["ignore", "pipe", "pipe"] });
}

async function deployOnce(home: string, module: string, samples: Samples): Promise<void> {
  const started = performance.now();
  const command = start(home, ["deploy", "--insecure", "--json", module]);
  let first = 0;
  let told = "";
  command.stdout.on("data", () => {
    first ||= performance.now() - started;
  });
  command.stderr.on("data", (piece) => {
    told += piece;
  });
  const [code] = await once(command, "close");
  if (code !== 0) throw new Error(`deploy ended with ${code}: ${told}`);
  const add = (name: string, value: number) =>
    samples.set(name, [...(samples.get(name) ?? []), value]);
  const line = told
    .split("\n")
    .find((each) => each.startsWith('{"run"') || each.startsWith('{"deploy'));
  const { phases = {} } =
    Object.values(
      JSON.parse(line ?? "{}") as Record<string, { phases?: Record<string, number> }>,
    )[0] ?? {};
  for (const [name, ms] of Object.entries(phases)) add(name, ms);
  add("first byte of output", first);
}

async function measure(home: string, module: string, pool: number): Promise<Samples> {
  const agent = start(home, ["agent", "--pool", String(pool)]);
  await once(agent.stderr, "data");
  await sleep(REFILL_MS);
  const samples: Samples = new Map();
  await deployOnce(home, module, new Map());
  for (let round = 0; round < ROUNDS; round++) {
    await sleep(REFILL_MS);
    await deployOnce(home, module, samples);
  }
  agent.kill("SIGTERM");
  await once(agent, "close");
  return samples;
}

const home = mkdtempSync(join(tmpdir(), "donjon-bench-"));
try {
  const module = join(home, "hello.wasm");
  writeFileSync(module, encodeHelloGuest("hello\n"));
  const pooled = await measure(home, module, 2);
  const fresh = await measure(home, module, 0);
  const rows = [...pooled.keys()].map((name) => [
    name,
    median(pooled.get(name)!),
    Math.min(...pooled.get(name)!),
    median(fresh.get(name) ?? []),
  ]);
  console.log(
    formatTable(
      [
        "phase, ms since the command's start",
        "pooled, median",
        "pooled, best",
        "started for it, median",
      ],
      rows,
    ),
  );
} finally {
  rmSync(home, { recursive: true, force: true });
}
