/**
 * From deploying to the first byte of the program's output, through an agent, with Keeps that it started before and with Keeps that it
 * starts for the deployment: by the command `donjon deploy`, as a user runs it, counted from its own start, and by the client library in a
 * program that has everything loaded, as a service has. Phases as the command tells them, in turns with the library's.
 *
 * Usage: sh tools/node.sh bench/session/deploy.ts [rounds]
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseTrust } from "@donjon/attest/simulated-trust";
import { connectAgent } from "@donjon/client/agent/connect";
import { createClientIdentity } from "@donjon/client/attested/identity";
import { openAttestedSession } from "@donjon/client/attested/open";
import { createSimulatedVerifier } from "@donjon/client/attested/verifier";
import { encodeHelloGuest } from "@donjon/testkit/contract/guests";
import { DONJON } from "../../tests/support/keep.ts";
import { formatTable, median } from "../lib/stats.ts";

const ROUNDS = Number(process.argv[2] ?? 15);
/** Time in which the agent has put another Keep in the place of the one it gave away. */
const REFILL_MS = 1500;
/** Every measurement has it last. */
const FIRST = "first byte of output";

type Samples = Map<string, number[]>;
type Note = (phase: string, ms: number) => void;

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

async function deployByCommand(home: string, module: string, note: Note): Promise<void> {
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
  const line = told
    .split("\n")
    .find((each) => each.startsWith('{"run"') || each.startsWith('{"deploy'));
  const { phases = {} } =
    Object.values(
      JSON.parse(line ?? "{}") as Record<string, { phases?: Record<string, number> }>,
    )[0] ?? {};
  for (const [name, ms] of Object.entries(phases)) note(name, ms);
  note(FIRST, first);
}

async function deployByLibrary(home: string, module: string, note: Note): Promise<void> {
  const identity = createClientIdentity(Date.now());
  const agent = connectAgent(`unix:${join(home, "donjon", "agent.sock")}`);
  const verify = createSimulatedVerifier(parseTrust(await agent.getSimulatedTrust()), {
    policy: { reportData: "any", sgx: { mrEnclave: "any" } },
  });
  const begin = performance.now();
  const tell = (phase: string) => note(phase, performance.now() - begin);
  const workload = readFileSync(module);
  const sha256 = createHash("sha256").update(workload).digest("hex");
  const manifest = Buffer.from(`[workload]\nsha256 = "${sha256}"\n`);
  const keep = await agent.createKeep({ backend: "process" });
  tell("create at");
  const session = await openAttestedSession(await agent.openSession(keep.id), {
    identity,
    verify,
    expect: "new",
    onPhase: (phase) => tell(`${phase} at`),
  });
  const run = session.provision({ manifest, workload, secrets: new Map(), trees: [] });
  run.stdout.once("data", () => tell(FIRST));
  run.stdout.resume();
  await run.started;
  tell("start at");
  await run.result;
  await agent.removeKeep(keep.id);
}

const WAYS = [deployByCommand, deployByLibrary] as const;

async function measure(home: string, module: string, pool: number): Promise<readonly Samples[]> {
  const agent = start(home, ["agent", "--pool", String(pool)]);
  await once(agent.stderr, "data");
  await sleep(REFILL_MS);
  const all = WAYS.map((): Samples => new Map());
  // The first round warms up the agent and this program.
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [at, deploy] of WAYS.entries()) {
      const samples = round === 0 ? new Map() : all[at]!;
      await deploy(home, module, (phase, ms) =>
        samples.set(phase, [...(samples.get(phase) ?? []), ms]),
      );
      await sleep(REFILL_MS);
    }
  }
  agent.kill("SIGTERM");
  await once(agent, "close");
  return all;
}

const home = mkdtempSync(join(tmpdir(), "donjon-bench-"));
try {
  const module = join(home, "hello.wasm");
  writeFileSync(module, encodeHelloGuest("hello\n"));
  const columns = [...(await measure(home, module, 2)), ...(await measure(home, module, 0))];
  const rows = [...columns[0]!.keys()].map((name) => [
    name,
    ...columns.flatMap((samples): (string | number)[] => {
      const values = samples.get(name);
      return values === undefined ? ["", ""] : [median(values), Math.min(...values)];
    }),
  ]);
  const heads = ["command, pool", "library, pool", "command, started", "library, started"];
  console.log(
    formatTable(
      ["ms since the start of each", ...heads.flatMap((head) => [head, `${head}: best`])],
      rows,
    ),
  );
} finally {
  rmSync(home, { recursive: true, force: true });
}
