import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { Worker } from "node:worker_threads";
import { listTierFlags } from "../../src/runtime/tiers.ts";

const RUNTIME = join(import.meta.dirname, "../../src/runtime");

describe("listTierFlags", () => {
  it("leaves one core to a workload of lazy tiers", () => {
    const tasks = (cores: number) => listTierFlags("lazy", () => cores).at(-1);
    assert.equal(tasks(8), "--wasm-num-compilation-tasks=7");
    assert.equal(tasks(2), "--wasm-num-compilation-tasks=1");
    assert.equal(tasks(1), "--wasm-num-compilation-tasks=1");
  });

  it("asks for the cores only where they count", () => {
    assert.deepEqual(
      listTierFlags("optimized", () => assert.fail("asked")),
      ["--no-liftoff"],
    );
  });

  it("names only flags that the engine has, and would not find one it has not", () => {
    const known = execFileSync(process.execPath, ["--v8-options"], { encoding: "utf8" });
    const isKnown = (flag: string) =>
      known.includes(`  ${flag.replace(/^--no-/, "--").replace(/=.*/, "")} (`);
    for (const flag of [
      ...listTierFlags("lazy", () => 2),
      ...listTierFlags("optimized", () => 2),
    ]) {
      assert.ok(isKnown(flag), flag);
    }
    assert.ok(!isKnown("--no-such-flag"));
  });
});

describe("countCores", () => {
  it("is what the process may use, in a worker that was disarmed before", async () => {
    const text = `
      const { parentPort } = require("node:worker_threads");
      const { countCores } = require(${JSON.stringify(join(RUNTIME, "tiers.ts"))});
      const { disarm } = require(${JSON.stringify(join(RUNTIME, "disarm.ts"))});
      disarm();
      parentPort.postMessage([typeof navigator, countCores()]);
    `;
    const [answer] = await once(new Worker(text, { eval: true }), "message");
    assert.deepEqual(answer, ["undefined", availableParallelism()]);
  });
});
