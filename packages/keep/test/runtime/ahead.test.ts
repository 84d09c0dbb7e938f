/** Modules that are compiled before they are run. A file of its own, as memory.test.ts: the limit of memory holds for the process. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { createEngineRoom } from "../../src/runtime/engine-room.ts";
import type { Workload } from "../../src/runtime/workload.ts";
import { guestBytes, LIMITS, readAll, STDIO } from "./harness.ts";

interface Ahead {
  readonly ahead: Uint8Array;
  readonly module?: Uint8Array;
  readonly memoryBytes?: number;
}

function start(test: TestContext, { ahead, module = ahead, memoryBytes }: Ahead): Workload {
  const room = createEngineRoom();
  test.after(() => room.close());
  room.prepare(ahead);
  const limits = { ...LIMITS, ...(memoryBytes !== undefined && { memoryBytes }) };
  const rest = { args: [], env: new Map(), mounts: [], clockFloorNs: 0n };
  return room.run({ module, descriptors: STDIO, limits, ...rest });
}

/** Fills its buffer, so that it is moved and not copied. */
const owned = (name: string) => Uint8Array.from(guestBytes(name));

describe("a module that was compiled ahead", () => {
  it("runs as if it had come with the order", async (t) => {
    const module = owned("echo");
    const workload = start(t, { ahead: module });
    workload.stdin.end();
    assert.equal(module.length, 0, "it was moved");
    await readAll(workload.stdout);
    assert.equal((await workload.result).outcome.kind, "exit");
  });

  it("is not what runs when the order brings another", async (t) => {
    const { outcome } = await start(t, { ahead: owned("trap"), module: owned("exit") }).result;
    assert.equal(outcome.kind, "exit");
  });

  it("is told to be invalid, or not to fit, as if it had come with the order", async (t) => {
    const broken = Uint8Array.from([...guestBytes("exit"), 10, 1, 9]);
    await assert.rejects(start(t, { ahead: broken }).result, { code: "workload/invalid" });
    await assert.rejects(start(t, { ahead: owned("foreign") }).result, {
      code: "workload/unsupported",
    });
    await assert.rejects(start(t, { ahead: owned("grow"), memoryBytes: 1 }).result, {
      code: "workload/limit",
    });
  });

  it("has the limit of memory that came later", async (t) => {
    const { outcome } = await start(t, { ahead: owned("grow"), memoryBytes: 7 << 16 }).result;
    assert.deepEqual(outcome, { kind: "exit", code: 7 });
  });
});
