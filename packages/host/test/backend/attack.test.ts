import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { build } from "esbuild";
import { createProcessBackend } from "../../src/backend/process.ts";
import { findBubblewrap } from "../../src/backend/sandbox.ts";

const ENTRY = join(import.meta.dirname, "../../../keep/test/attack/main.ts");
const folder = mkdtempSync(join(tmpdir(), "donjon-attack-"));
after(() => rmSync(folder, { recursive: true }));

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

async function runAttack(bubblewrap: boolean): Promise<{ reports: Report[]; sandbox: string }> {
  const UNLEASHED = String(bubblewrap);
  const worker = await bundle({ ATTACK_SOURCE: '""', UNLEASHED });
  const runtime = join(folder, "attack.cjs");
  writeFileSync(runtime, await bundle({ ATTACK_SOURCE: JSON.stringify(worker), UNLEASHED }));
  const backend = createProcessBackend({ engine: process.execPath, runtime }, { bubblewrap });
  const lines: string[] = [];
  const keep = backend.start({ onConsole: (line) => lines.push(line) });
  keep.out.resume();
  let text = "";
  for await (const chunk of keep.in) text += chunk;
  assert.deepEqual(await keep.ended, { kind: "exited", code: 0 }, lines.join("\n"));
  rmSync(runtime);
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

/** Without the permission model a thread sees the empty root and itself, and nothing else. */
const HARMLESS_UNDER_BUBBLEWRAP = [
  "list the root",
  "use an internal binding",
  // Answers before its own thread finds that it gets no socket.
  "open the inspector",
  "start a worker without the permission model",
];

describe("a Keep that executes an attacker's JavaScript", () => {
  test("reaches nothing with the permission model alone", async () => {
    const { reports, sandbox } = await runAttack(false);
    assert.match(sandbox, /^permission model only/);
    checkReports(reports, ["main", "worker"], []);
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
    checkReports(reports, ["unleashed"], HARMLESS_UNDER_BUBBLEWRAP);
  });
});
