/** However a run in a VM Keep ends, its exit code is that of a process Keep, and neither a QEMU nor a file stays behind. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import {
  encodeCatGuest,
  encodeHelloGuest,
  encodeSpinGuest,
  encodeTrapGuest,
} from "@donjon/testkit/contract/guests";
import { type Command, startCommand } from "../e2e/faults/command.ts";
import { listTree, type ProcessMark, until, untilGone } from "../support/processes.ts";
import { BOOT_MS, findQemuOf, findVm, writeModule } from "./support.ts";

interface Watched extends Command {
  /** All its processes, QEMU among them. */
  readonly all: readonly ProcessMark[];
  readonly qemu: ProcessMark;
  readonly stdout: () => string;
}

/** Starts a run whose guest echoes stdin or does what it does; its processes are known when this resolves. */
async function start(t: TestContext, guest: Uint8Array, ...flags: string[]): Promise<Watched> {
  const command = startCommand(t, ["--backend", "vm", ...flags, writeModule(t, guest)]);
  let stdout = "";
  command.child.stdout?.setEncoding("latin1").on("data", (piece: string) => {
    stdout += piece;
  });
  const qemu = await findQemuOf(command);
  return { ...command, all: listTree(command.child.pid!), qemu, stdout: () => stdout };
}

async function assertNothingLeft({ all, temporary }: Watched): Promise<void> {
  await untilGone(all, 2000);
  assert.deepEqual(temporary(), []);
}

const vm = await findVm();

describe("a run in a VM Keep", { skip: vm.skip, concurrency: 2 }, () => {
  it("passes the program's output and exit code on", async (t) => {
    const run = await start(t, encodeHelloGuest("hello\n", 42), "--json");
    assert.deepEqual(await run.ended, { code: 42, signal: null });
    assert.equal(run.stdout(), "hello\n");
    const summary = JSON.parse(run.stderr()).run;
    assert.equal(summary.backend, "vm");
    assert.equal(summary.protected, false);
    assert.match(summary.sandbox, /^QEMU, /);
    await assertNothingLeft(run);
  });

  it("tells a trap as 134", async (t) => {
    const run = await start(t, encodeTrapGuest());
    assert.deepEqual(await run.ended, { code: 134, signal: null });
    assert.match(run.stderr(), /the workload trapped: /);
    await assertNothingLeft(run);
  });

  it("ends a program at its time limit with 124", async (t) => {
    const run = await start(t, encodeSpinGuest(), "--time", "1s");
    assert.deepEqual(await run.ended, { code: 124, signal: null });
    await assertNothingLeft(run);
  });

  it("is stopped by Ctrl-C with 130 while the program runs", async (t) => {
    const run = await start(t, encodeCatGuest());
    await untilEchoed(run);
    run.child.kill("SIGINT");
    assert.deepEqual(await run.ended, { code: 130, signal: null });
    await assertNothingLeft(run);
  });

  it("is stopped by SIGTERM while the machine boots", async (t) => {
    const run = await start(t, encodeSpinGuest());
    run.child.kill("SIGTERM");
    const { code, signal } = await run.ended;
    assert.ok(code === 143 || signal === "SIGTERM", `ended with ${code} ${signal}`);
    await assertNothingLeft(run);
  });

  it("says within 2 s that QEMU was killed, with 125", async (t) => {
    const run = await start(t, encodeCatGuest());
    await untilEchoed(run);
    const killed = performance.now();
    process.kill(run.qemu.pid, "SIGKILL");
    assert.deepEqual(await run.ended, { code: 125, signal: null });
    assert.ok(performance.now() - killed < 2000, `took ${performance.now() - killed} ms`);
    assert.match(run.stderr(), /the Keep was ended by SIGKILL before the run was over/);
    await assertNothingLeft(run);
  });

  it("takes the machine with it when the command is killed while the program runs", async (t) => {
    const run = await start(t, encodeCatGuest());
    await untilEchoed(run);
    run.child.kill("SIGKILL");
    await assertNothingLeft(run);
  });

  it("takes the machine with it when the command is killed while the machine boots", async (t) => {
    const run = await start(t, encodeSpinGuest());
    run.child.kill("SIGKILL");
    await assertNothingLeft(run);
  });
});

/** The program runs: what is written comes back. */
async function untilEchoed(run: Watched): Promise<void> {
  run.child.stdin!.write("ping");
  await until("the program echoes", () => run.stdout().includes("ping"), BOOT_MS);
}
