/** The launcher of process Keeps, with scripts in the places of bubblewrap and the engine. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openSession } from "@donjon/client/session";
import { startKeep } from "@donjon/testkit/contract/keep-fixture";
import { until } from "../../../../tests/support/processes.ts";
import { createProcessBackend } from "../../src/backend/process.ts";
import { createLaunch, FALLBACK_LINE } from "../../src/backend/sandbox.ts";

const folder = mkdtempSync(join(tmpdir(), "donjon-launcher-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function writeScript(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

const engine = writeScript("engine", "echo engine >&2; exit 9");

/** What the launcher says on stderr, and how it ends; `up`: the host says so at once. */
async function launch(bubblewrap: string, up: boolean) {
  const files = { engine, runtime: "none", image: "none", binds: [], links: [] };
  const [command, ...args] = createLaunch(files as never, bubblewrap);
  const child = spawn(command!, args, {
    detached: true,
    env: {},
    stdio: ["pipe", "ignore", "pipe", "pipe", "pipe", "pipe", "ignore", "pipe"],
  });
  child.stdin!.on("error", () => {});
  if (up) child.stdin!.write("up\n");
  let told = "";
  child.stderr!.on("data", (piece: Buffer) => {
    told += piece;
  });
  const [code, signal] = await once(child, "exit");
  child.stdin!.destroy();
  return { code, signal, told };
}

test("the launcher ends as the Keep does, whenever the host says that it is up", async () => {
  for (const [code, script] of [
    [42, writeScript("ends", "exit 42")],
    [137, writeScript("dies", "kill -9 $$")],
  ] as const) {
    for (let round = 0; round < 20; round++) {
      assert.deepEqual(await launch(script, round % 2 === 0), { code, signal: null, told: "" });
    }
  }
});

test("the engine starts without bubblewrap only where the Keep never was up", async () => {
  const fails = writeScript("fails", "exit 1");
  const without = await launch(fails, false);
  assert.deepEqual(without, { code: 9, signal: null, told: `${FALLBACK_LINE}\nengine\n` });
  // Late enough for the launcher to have heard it.
  const failsLate = writeScript("fails-late", "sleep 0.3; exit 1");
  assert.deepEqual(await launch(failsLate, true), { code: 1, signal: null, told: "" });
});

const runtime = join(import.meta.dirname, "../../../keep/dist/keep.cjs");
for (const bubblewrap of [true, false]) {
  test(`a lane that the Keep closes is seen to be closed while the Keep lives${bubblewrap ? "" : ", without bubblewrap"}`, async () => {
    const backend = createProcessBackend({ engine: process.execPath, runtime }, { bubblewrap });
    await using under = startKeep(backend);
    const lane = under.gate.openBareSession();
    assert.equal(lane, under.keep.lane!.stream);
    // It is no frame, and this end is never ended.
    lane.on("error", () => {}).write(Buffer.alloc(64, 0xff));
    lane.resume();
    await until("the host has closed it too", () => lane.destroyed);
    assert.equal((await under.gate.health()).state, "new");
    const next = openSession(under.gate.openBareSession());
    await next.hello;
    next.close();
  });
}
