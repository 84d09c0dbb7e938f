import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { build } from "esbuild";
import type { Backend } from "../../src/backend/backend.ts";
import { createProcessBackend } from "../../src/backend/process.ts";
import { findQemu } from "../../src/backend/qemu/find.ts";
import { findBubblewrap } from "../../src/backend/sandbox.ts";
import { createVmBackend } from "../../src/backend/vm.ts";
import { type KeepImageFiles, searchImage } from "../../src/image/find.ts";
import { encodeGuestInit } from "../../src/image/guest-init.ts";
import { writeInitrd } from "../../src/image/initrd.ts";
import { listTree, RUNTIME_PATH } from "../../src/image/tree.ts";

const ENTRY = join(import.meta.dirname, "../../../keep/test/attack/main.ts");
const RUNTIME = join(import.meta.dirname, "../../../keep/dist/keep.cjs");
const folder = mkdtempSync(join(tmpdir(), "donjon-attack-"));
/** A process of this user that would feel a signal of the Keep's. */
const victim: ChildProcess = spawn("sleep", ["1000"], { stdio: "ignore" });
after(() => {
  victim.kill();
  rmSync(folder, { recursive: true });
});

interface Report {
  readonly thread: "main" | "worker" | "unleashed";
  readonly name: string;
  readonly reached: boolean;
  readonly got: string;
}

async function bundle(define: Record<string, string>): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [ENTRY],
    bundle: true,
    write: false,
    platform: "node",
    format: "cjs",
    define,
    logLevel: "error",
  });
  return outputFiles[0]!.text;
}

/** The attacker's program, to be started in place of the runtime. */
async function writeAttack(unleashed: boolean): Promise<string> {
  const define = { UNLEASHED: String(unleashed), VICTIM: String(victim.pid) };
  const worker = await bundle({ ATTACK_SOURCE: '""', ...define });
  const runtime = join(folder, "attack.cjs");
  writeFileSync(runtime, await bundle({ ATTACK_SOURCE: JSON.stringify(worker), ...define }));
  return runtime;
}

async function runAttack(bubblewrap: boolean): Promise<{ reports: Report[]; sandbox: string }> {
  const runtime = await writeAttack(bubblewrap);
  const backend = createProcessBackend({ engine: process.execPath, runtime }, { bubblewrap });
  try {
    return await readReports(backend);
  } finally {
    rmSync(runtime);
  }
}

async function readReports(backend: Backend): Promise<{ reports: Report[]; sandbox: string }> {
  const lines: string[] = [];
  const keep = backend.start({ onConsole: (line) => lines.push(line) });
  keep.out.resume();
  let text = "";
  for await (const chunk of keep.in) text += chunk;
  assert.deepEqual(await keep.ended, { kind: "exited", code: 0 }, lines.join("\n"));
  const reports = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Report);
  return { reports, sandbox: keep.sandbox };
}

function checkReports(reports: readonly Report[], threads: Report["thread"][], harmless: string[]) {
  const names = new Set(reports.map(({ name }) => name));
  assert.ok(names.size >= 20, `${names.size} attempts`);
  for (const thread of threads) {
    const made = reports.filter((each) => each.thread === thread);
    assert.equal(made.length, names.size, `attempts in ${thread}`);
    const reached = made.filter((each) => each.reached && !harmless.includes(each.name));
    assert.deepEqual(reached, []);
  }
}

/**
 * A worker begins with a process object of its own, and the permission model does not ask about signals: whoever has taken
 * over the gate's thread, which may start workers, can send them (docs/decisions/0003).
 */
const LEFT_TO_THE_GATE_THREAD = "signal from a worker of its own";

/** Without the permission model a thread sees the image that it runs from, read-only, and itself, and nothing else. */
const HARMLESS_OUTSIDE = [
  "list the root",
  "use an internal binding",
  // Answers before its own thread finds that it gets no socket.
  "open the inspector",
  "start a worker without the permission model",
];

/** A machine whose image has the attacker's program for a runtime, and all else as it is. */
function createAttackedVm(image: KeepImageFiles, runtime: string): Backend {
  const initrd = join(folder, "initrd");
  const init = join(folder, "init");
  writeFileSync(init, encodeGuestInit());
  const tree = listTree(image.tree).map(({ path, source }) => ({
    path,
    source: path === RUNTIME_PATH ? runtime : source,
    executable: true,
  }));
  writeInitrd(initrd, { tree, modules: [], init });
  return createVmBackend({ ...image, initrd }, { qemu: findQemu()!, accelerator: "tcg" });
}

describe("a Keep that executes an attacker's JavaScript", () => {
  test("reaches nothing with the permission model alone, but for signals from a worker of the gate thread", async () => {
    const { reports, sandbox } = await runAttack(false);
    assert.match(sandbox, /^permission model only/);
    checkReports(reports, ["worker"], []);
    checkReports(reports, ["main"], [LEFT_TO_THE_GATE_THREAD]);
    const signals = reports.filter(({ name }) => name.startsWith("signal "));
    // What was not sent was refused: who is asked for was there all along.
    for (const { thread, name, got } of signals)
      assert.doesNotMatch(got, /ESRCH/, `${thread}: ${name}`);
    assert.equal(victim.kill(0), true);
    const left = signals.filter(({ reached }) => reached);
    assert.deepEqual(
      left.map(({ thread, name }) => [thread, name]),
      [["main", LEFT_TO_THE_GATE_THREAD]],
      "what SECURITY.md says of the permission model alone",
    );
  });

  test("finds that the runtime has given up signals before it reads anything", async () => {
    const runtime = join(folder, "taken-over.cjs");
    // Runs with the first turn of the event loop still to come: nothing can have been read.
    const attack = `
      const say = (when) => {
        let got;
        try { got = process.kill(${victim.pid}, "SIGCONT"); } catch (error) { got = error.message; }
        require("node:fs").writeSync(2, when + ": " + got + "\\n");
      };
      say("at first");
      process.nextTick(say, "then");`;
    writeFileSync(runtime, `${attack}\n${readFileSync(RUNTIME, "utf8")}`);
    const source = { engine: process.execPath, runtime };
    const lines: string[] = [];
    const said = Promise.withResolvers<void>();
    const keep = createProcessBackend(source, { bubblewrap: false }).start({
      onConsole: (line) => {
        lines.push(line);
        if (line.startsWith("then: ")) said.resolve();
      },
    });
    await Promise.race([said.promise, keep.ended]);
    keep.kill();
    const [first, then] = lines.filter((line) => /^(?:at first|then): /.test(line));
    assert.deepEqual([first, then], ["at first: true", "then: process.kill is not a function"]);
  });

  test("reaches nothing under bubblewrap", {
    skip: findBubblewrap() === null && "no bubblewrap",
  }, async (context) => {
    const { reports, sandbox } = await runAttack(true);
    if (!sandbox.startsWith("bubblewrap")) {
      context.skip(sandbox);
      return;
    }
    checkReports(reports, ["main", "worker"], []);
    checkReports(reports, ["unleashed"], HARMLESS_OUTSIDE);
  });

  const { image, ...miss } = searchImage({ engine: process.execPath, runtime: RUNTIME });
  const missing = findQemu() === null ? "no QEMU" : image === null && (miss as { why: string }).why;
  test("reaches nothing in a virtual machine", { skip: missing }, async () => {
    const { reports } = await readReports(createAttackedVm(image!, await writeAttack(true)));
    checkReports(reports, ["main", "worker"], []);
    checkReports(reports, ["unleashed"], HARMLESS_OUTSIDE);
  });
});
