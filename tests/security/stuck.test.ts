/** Keeps that have turned bad and never come back to their event loop: what the command then does, and how it ends. */
import assert from "node:assert/strict";
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it, type TestContext } from "node:test";
import { findKeep, listTree, until, untilGone } from "../support/processes.ts";
import { guestPath } from "./guest.ts";

const PACKAGES = join(import.meta.dirname, "../../packages");
const folder = mkdtempSync(join(tmpdir(), "donjon-stuck-"));
after(() => rmSync(folder, { recursive: true }));

/** An installation of the command whose Keeps run `attack` before anything else, and then the real runtime. */
function installBad(name: string, attack: string): string {
  const place = join(folder, name);
  mkdirSync(place);
  const runtime = readFileSync(join(PACKAGES, "keep/dist/keep.cjs"), "utf8");
  writeFileSync(join(place, "keep.cjs"), `${attack}\n${runtime}`);
  const command = join(place, "donjon.cjs");
  symlinkSync(join(PACKAGES, "cli/dist/donjon.cjs"), command);
  return command;
}

const SPINS_AT_ONCE = installBad("at-once", "for (;;);");
/** A good Keep until it has to end its workload, because it was asked to or because time is over. */
const SPINS_AT_END = installBad(
  "at-end",
  'require("node:worker_threads").Worker.prototype.terminate = () => { for (;;); };',
);

interface Started {
  readonly child: ChildProcessWithoutNullStreams;
  readonly stderr: () => string;
  readonly ended: Promise<unknown[]>;
}

function start(t: TestContext, command: string, ...args: readonly string[]): Started {
  const child = spawn(process.execPath, [command, "run", "--insecure", ...args]);
  t.after(() => child.kill("SIGKILL"));
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (piece: string) => {
    stderr += piece;
  });
  return { child, stderr: () => stderr, ended: once(child, "close") };
}

const KILLED =
  /^waiting\ndonjon: the Keep had not ended the run 5 s after [^\n]+, so it was killed[^\n]*\n$/;

describe("a Keep whose gate thread spins", { concurrency: true }, () => {
  it("goes when the command is killed", async (t) => {
    const { child } = start(t, SPINS_AT_ONCE, guestPath("waits"), "--", "sleep");
    await findKeep(child.pid!);
    const all = listTree(child.pid!);
    child.kill("SIGKILL");
    await untilGone(all, 2000);
  });

  it("goes when it has run a workload and the command is killed", async (t) => {
    const run = start(t, SPINS_AT_END, guestPath("waits"), "--", "sleep");
    await until("the guest waits", () => run.stderr().includes("waiting"));
    const all = listTree(run.child.pid!);
    run.child.kill("SIGTERM");
    run.child.kill("SIGKILL");
    await untilGone(all, 2000);
  });

  it("is ended by the second Ctrl-C at once", async (t) => {
    const run = start(t, SPINS_AT_END, guestPath("waits"), "--", "sleep");
    await until("the guest waits", () => run.stderr().includes("waiting"));
    const all = listTree(run.child.pid!);
    await until("it has ended", () => {
      if (run.child.exitCode === null) run.child.kill("SIGINT");
      return run.child.exitCode !== null;
    });
    assert.deepEqual(await run.ended, [130, null]);
    assert.equal(run.stderr(), "waiting\n");
    await untilGone(all);
  });

  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    it(`is ended some time after one ${signal}, and that is told`, async (t) => {
      const run = start(t, SPINS_AT_END, guestPath("waits"), "--", "sleep");
      await until("the guest waits", () => run.stderr().includes("waiting"));
      const all = listTree(run.child.pid!);
      run.child.kill(signal);
      assert.deepEqual(await run.ended, [code, null]);
      assert.match(run.stderr(), KILLED);
      await untilGone(all);
    });
  }

  it("is ended some time after the workload's time is over, and that is told", async (t) => {
    const run = start(t, SPINS_AT_END, guestPath("waits"), "--time", "500ms", "--", "sleep");
    await until("the guest waits", () => run.stderr().includes("waiting"));
    const all = listTree(run.child.pid!);
    assert.deepEqual(await run.ended, [124, null]);
    assert.match(run.stderr(), KILLED);
    await untilGone(all);
  });

  it("is ended some time after nobody reads its output any more, with --json as JSON", async (t) => {
    const run = start(t, SPINS_AT_END, guestPath("waits"), "--json", "--", "write");
    await once(run.child.stdout, "readable");
    run.child.stdout.destroy();
    assert.deepEqual(await run.ended, [141, null]);
    const line = run.stderr().trimEnd().split("\n").at(-1)!;
    assert.equal(JSON.parse(line).error.code, "keep/stuck");
  });
});
