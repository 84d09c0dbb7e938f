import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { listConfinements } from "../../src/backend/qemu/confine.ts";
import { findSetpriv } from "../../src/backend/sandbox.ts";

const HOST = join(import.meta.dirname, "orphan-host.ts");
const STUCK_HOST = join(import.meta.dirname, "stuck-host.ts");
const QEMU_HOST = join(import.meta.dirname, "qemu-host.ts");
const RUNTIME = join(import.meta.dirname, "../../../keep/dist/keep.cjs");
/** Far more than a Keep needs to see the end of its pipe and go. */
const PATIENCE_MS = 10_000;

const folder = mkdtempSync(join(tmpdir(), "donjon-orphan-"));
after(() => rmSync(folder, { recursive: true }));
/** Never comes back to its event loop: it sees the end of no pipe. */
const SPINNING = join(folder, "spin.cjs");
writeFileSync(SPINNING, 'require("node:fs").writeSync(2, "spins\\n"); for (;;);');

async function killHost(script: string, ...args: readonly string[]): Promise<void> {
  const host = await startHost(script, args);
  await killAndWait(host);
}

interface Host {
  readonly child: ChildProcess;
  /** The Keep's. */
  readonly processes: readonly number[];
}

/** A host that has said its processes. */
async function startHost(script: string, args: readonly string[]): Promise<Host> {
  const child = spawn(process.execPath, ["--conditions=source", script, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  for await (const chunk of child.stdout) {
    text += chunk;
    if (text.includes("\n")) break;
  }
  const processes = JSON.parse(text) as number[];
  assert.ok(processes.length >= 1, text);
  return { child, processes };
}

/** Kills the host, and waits until its processes are gone. */
async function killAndWait({ child, processes }: Host): Promise<void> {
  child.kill("SIGKILL");
  const alive = () => processes.filter((pid) => existsSync(`/proc/${pid}`));
  for (let waited = 0; alive().length > 0 && waited < PATIENCE_MS; waited += 20) await delay(20);
  assert.deepEqual(alive(), []);
}

for (const sandbox of ["bubblewrap", "permission model alone"]) {
  test(`leaves no process behind when the host is killed while a guest spins (${sandbox})`, () =>
    killHost(HOST, RUNTIME, sandbox));
}

for (const sandbox of ["bubblewrap", "permission model alone"]) {
  test(`leaves no Keep behind that spins in its gate thread when the host is killed (${sandbox})`, () =>
    killHost(STUCK_HOST, SPINNING, sandbox));
}

/** With the permission model alone the Keep's JavaScript can send signals, and so kill what watches it. */
test("leaves no Keep behind that has killed its watch and spins when the host is killed", {
  skip: findSetpriv() === null && "no setpriv that ends a program with its parent",
}, async () => {
  const host = await startHost(STUCK_HOST, [SPINNING, "permission model alone"]);
  const watch = host.processes.find((pid) => nameOf(pid) === "sh");
  process.kill(watch!, "SIGKILL");
  await killAndWait(host);
});

function nameOf(pid: number): string {
  return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
}

for (const [index, confinement] of listConfinements().entries()) {
  const [program] = confinement.wrap([], [], []);
  test(`leaves no machine behind that hangs when the host is killed (${program})`, () =>
    killHost(QEMU_HOST, String(index)));
}
