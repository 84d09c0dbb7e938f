import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, it } from "node:test";
import { listTierFlags } from "../../src/runtime/tiers.ts";

describe("listTierFlags", () => {
  it("leaves one core to a workload of lazy tiers", () => {
    const tasks = (cores: number) => listTierFlags("lazy", cores).at(-1);
    assert.equal(tasks(8), "--wasm-num-compilation-tasks=7");
    assert.equal(tasks(2), "--wasm-num-compilation-tasks=1");
    assert.equal(tasks(1), "--wasm-num-compilation-tasks=1");
  });

  it("names only flags that the engine has, and would not find one it has not", () => {
    const known = execFileSync(process.execPath, ["--v8-options"], { encoding: "utf8" });
    const isKnown = (flag: string) =>
      known.includes(`  ${flag.replace(/^--no-/, "--").replace(/=.*/, "")} (`);
    for (const flag of [...listTierFlags("lazy", 2), ...listTierFlags("optimized", 2)]) {
      assert.ok(isKnown(flag), flag);
    }
    assert.ok(!isKnown("--no-such-flag"));
  });
});
