/**
 * What an agent still holds after a whole collection, while Keeps are created, provisioned, run and removed in sequence: growth
 * that is a leak shows, and how V8 lays out its heap does not.
 *
 * Usage: sh tools/node.sh bench/agent/heap.ts [keeps]
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectAgent } from "@donjon/client/agent/connect";
import { Owner } from "../../tests/load/keep-life.ts";
import { formatTable } from "../lib/stats.ts";

const KEEPS = Number(process.argv[2] ?? 400);
const STEP = 50;
const MIB = 2 ** 20;
/** Keeps so far, then MiB. */
type Row = readonly (string | number)[];

const folder = mkdtempSync(join(tmpdir(), "donjon-bench-"));
const entry = join(import.meta.dirname, "agent-entry.ts");
const flags = ["--expose-gc", "--conditions=source", "--disable-warning=ExperimentalWarning"];
const child = spawn(
  process.execPath,
  [...flags, entry, join(folder, "state"), join(folder, "simtee")],
  { stdio: ["ignore", "pipe", "inherit"] },
);
await once(child.stdout, "data");

async function measure(keeps: number): Promise<Row> {
  const said = once(child.stdout, "data");
  child.kill("SIGUSR2");
  const { heapUsed, external, rss } = JSON.parse(String((await said)[0]));
  return [String(keeps), ...[heapUsed, external, rss].map((bytes) => bytes / MIB)];
}

const agent = connectAgent(`unix:${join(folder, "state/agent.sock")}`);
const owner = await Owner.create(agent);
const rows: Row[] = [];
for (let i = 0; i <= KEEPS; i++) {
  if (i % STEP === 0) rows.push(await measure(i));
  if (i === KEEPS) break;
  const keep = await agent.createKeep({ name: `keep-${i}` });
  await owner.deploy(keep);
  await owner.finish(keep, "text ");
  await agent.removeKeep(keep.id);
}
console.log(formatTable(["Keeps so far", "heap", "external", "resident"], rows, 2));
child.kill("SIGTERM");
await once(child, "exit");
rmSync(folder, { recursive: true });
