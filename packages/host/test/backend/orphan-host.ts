/** A host that starts a Keep whose guest spins, says the Keep's processes on stdout, and waits to be killed. */
import { encodeSpinGuest } from "@donjon/testkit/contract/guests";
import { startKeep, startRun } from "@donjon/testkit/contract/keep-fixture";
import { createProcessBackend } from "../../src/backend/process.ts";
import { listDescendants } from "./descendants.ts";

const bubblewrap = process.argv[3] === "bubblewrap";
const backend = createProcessBackend(
  { engine: process.execPath, runtime: process.argv[2]! },
  { bubblewrap },
);
const { gate } = startKeep(backend);
const { run } = startRun(gate, encodeSpinGuest());
await run.provisioned;
while ((await gate.health()).state !== "running");
console.log(JSON.stringify(listDescendants(process.pid)));
await run.result;
