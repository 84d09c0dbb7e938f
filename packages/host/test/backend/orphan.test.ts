import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { listConfinements } from "../../src/backend/qemu/confine.ts";

const HOST = join(import.meta.dirname, "orphan-host.ts");
const QEMU_HOST = join(import.meta.dirname, "qemu-host.ts");
const RUNTIME = join(import.meta.dirname, "../../../keep/dist/keep.cjs");
/** Far more than a Keep needs to see the end of its pipe and go. */
const PATIENCE_MS = 10_000;

/** Kills the host once it has said its processes, and waits until those are gone. */
async function killHost(script: string, ...args: readonly string[]): Promise<void> {
  const host = spawn(process.execPath, ["--conditions=source", script, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  for await (const chunk of host.stdout) {
    text += chunk;
    if (text.includes("\n")) break;
  }
  const processes = JSON.parse(text) as number[];
  assert.ok(processes.length >= 1, text);
  host.kill("SIGKILL");
  const alive = () => processes.filter((pid) => existsSync(`/proc/${pid}`));
  for (let waited = 0; alive().length > 0 && waited < PATIENCE_MS; waited += 20) await delay(20);
  assert.deepEqual(alive(), []);
}

for (const sandbox of ["bubblewrap", "permission model alone"]) {
  test(`leaves no process behind when the host is killed while a guest spins (${sandbox})`, () =>
    killHost(HOST, RUNTIME, sandbox));
}

for (const [index, confinement] of listConfinements().entries()) {
  const [program] = confinement.wrap([], [], []);
  test(`leaves no machine behind that hangs when the host is killed (${program})`, () =>
    killHost(QEMU_HOST, String(index)));
}
