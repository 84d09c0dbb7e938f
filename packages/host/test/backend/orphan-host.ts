/** A host that starts a Keep whose guest spins, says the Keep's processes on stdout, and waits to be killed. */
import { readdirSync, readFileSync } from "node:fs";
import { encodeSpinGuest } from "@donjon/testkit/contract/guests";
import { startKeep, startRun } from "@donjon/testkit/contract/keep-fixture";
import { createProcessBackend } from "../../src/backend/process.ts";

/** Process ids below `parent`, read from `/proc`. */
function descendants(parent: number): number[] {
  const children = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, "latin1");
        return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) === parent;
      } catch {
        return false;
      }
    })
    .map(Number);
  return children.flatMap((child) => [child, ...descendants(child)]);
}

const bubblewrap = process.argv[3] === "bubblewrap";
const backend = createProcessBackend(
  { engine: process.execPath, runtime: process.argv[2]! },
  { bubblewrap },
);
const { gate } = startKeep(backend);
const { run } = startRun(gate, encodeSpinGuest());
await run.provisioned;
while ((await gate.health()).state !== "running");
console.log(JSON.stringify(descendants(process.pid)));
await run.result;
