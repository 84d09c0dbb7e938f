/** The engine room as the Keep carries it: one file, started with no permission but workers. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { promisify } from "node:util";
import { build } from "esbuild";
import { guestBytes } from "./harness.ts";

const RUNTIME = join(import.meta.dirname, "../../src/runtime");
const folder = mkdtempSync(join(tmpdir(), "donjon-bundle-"));
const file = join(folder, "room.cjs");

async function bundle(entry: string, define: Record<string, string>): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: entry, resolveDir: RUNTIME, loader: "ts" },
    bundle: true,
    write: false,
    platform: "node",
    format: "cjs",
    conditions: ["source"],
    define,
    logLevel: "error",
  });
  return outputFiles[0]!.text;
}

/** Runs the guest that comes as the first argument, in base64, and prints its outcome. */
const MAIN = `
import { createEngineRoom } from "./engine-room.ts";
const room = createEngineRoom();
const limits = { memoryBytes: 1 << 26, filesBytes: 1 << 20, timeMs: null, descriptors: 8, threads: 4, outputBytes: null };
const { result } = room.run({
  module: Buffer.from(process.argv[2]!, "base64"), args: ["a"], env: new Map(),
  descriptors: ["stdin", "stdout", "stderr"].map((name) => ({ kind: name, name, terminal: false })),
  mounts: [], limits,
});
result.then(({ outcome }) => { console.log(JSON.stringify(outcome)); return room.close(); });
`;

before(async () => {
  const worker = await bundle('import "./worker.ts";', {});
  writeFileSync(file, await bundle(MAIN, { DONJON_WORKER_SOURCE: JSON.stringify(worker) }));
});
after(() => rmSync(folder, { recursive: true }));

async function runBundle(guest: string): Promise<unknown> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    "--permission",
    "--allow-worker",
    "--no-warnings",
    "--no-wasm-deopt",
    "--disallow-code-generation-from-strings",
    file,
    Buffer.from(guestBytes(guest)).toString("base64"),
  ]);
  return JSON.parse(stdout);
}

it("the bundled engine room runs a guest without any file access", async () => {
  assert.deepEqual(await runBundle("exit"), { kind: "exit", code: 1 });
});

it("the bundled engine room runs threads", async () => {
  assert.deepEqual(await runBundle("threads"), { kind: "exit", code: 40 });
});
