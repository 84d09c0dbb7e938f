/**
 * From the start of a process Keep to the first byte of output, by phase, bare and attested, for a small and a large
 * workload; and the same for a Keep that was started before (a pooled one).
 *
 * Usage: sh tools/node.sh bench/session/latency.ts [rounds]
 */
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { openAttestedSession } from "@donjon/client/attested/open";
import { openSession, type Session } from "@donjon/client/session";
import { encodeHelloGuest, withCustomSection } from "@donjon/testkit/contract/guests";
import { formatTable, median } from "../lib/stats.ts";
import { type Lab, withLab } from "./lab.ts";

const ROUNDS = Number(process.argv[2] ?? 20);
/** Time in which a pooled Keep has made itself ready. */
const POOLED_MS = 400;
const PHASES = [
  "hello",
  "tls",
  "evidence",
  "verify",
  "transfer",
  "compile",
  "run",
  "whole",
] as const;
type Phases = Record<(typeof PHASES)[number], number>;

/** A module of the wanted size: what is missing stands in a custom section. */
function padModule(module: Uint8Array, size: number): Uint8Array {
  return withCustomSection(module, Buffer.alloc(Math.max(0, size - module.length - 8)));
}

async function measure(
  lab: Lab,
  workload: Uint8Array,
  { attested, pooled }: { attested: boolean; pooled: boolean },
): Promise<Phases> {
  const early = pooled ? lab.start() : null;
  if (early !== null) {
    await early.gate.health();
    await sleep(POOLED_MS);
  }
  let last = performance.now();
  const begin = last;
  const phases = Object.fromEntries(PHASES.map((name) => [name, 0])) as Phases;
  const note = (name: keyof Phases) => {
    const now = performance.now();
    phases[name] = now - last;
    last = now;
  };
  const { keep, gate } = early ?? lab.start();
  let session: Session;
  if (attested) {
    const { identity, verify } = lab;
    await gate.health();
    note("hello");
    session = await openAttestedSession(gate.openSession(), {
      identity,
      verify,
      expect: "new",
      onPhase: note,
    });
  } else {
    session = openSession(gate.openBareSession());
    await session.hello;
    note("hello");
  }
  const sha256 = createHash("sha256").update(workload).digest("hex");
  const manifest = Buffer.from(`[workload]\nsha256 = "${sha256}"\n`);
  const run = session.provision({ manifest, workload, secrets: new Map(), trees: [] });
  await run.provisioned;
  note("transfer");
  await new Promise((resolve) => run.stdout.once("data", resolve));
  note("run");
  phases.whole = last - begin;
  run.stdout.resume();
  // By the Keep's own clock: where in between it was, the client cannot see.
  phases.compile = (await run.started).get("compile") ?? 0;
  phases.run -= phases.compile;
  await run.result;
  await keep.ended;
  await gate.close();
  return phases;
}

await withLab(async (lab) => {
  for (const [label, size] of [
    ["1 KB", 1 << 10],
    ["10 MB", 10 << 20],
  ] as const) {
    const workload = padModule(encodeHelloGuest("hello\n"), size);
    const rows: (string | number)[][] = [];
    const variants = [
      { attested: false, pooled: false },
      { attested: true, pooled: false },
      { attested: false, pooled: true },
      { attested: true, pooled: true },
    ];
    const all = variants.map((): Phases[] => []);
    // In turns, so that what else the machine does hits all alike. The first round warms up the client.
    for (let round = 0; round <= ROUNDS; round++) {
      for (const [index, variant] of variants.entries()) {
        const phases = await measure(lab, workload, variant);
        if (round > 0) all[index]!.push(phases);
      }
    }
    for (const [index, { attested, pooled }] of variants.entries()) {
      const name = `${pooled ? "pooled" : "started"}, ${attested ? "attested" : "bare"}`;
      rows.push([name, ...PHASES.map((phase) => median(all[index]!.map((each) => each[phase])))]);
    }
    console.log(`\n${label} workload, ms, medians of ${ROUNDS}:\n`);
    console.log(formatTable(["Keep, session", ...PHASES], rows, 1));
  }
});
