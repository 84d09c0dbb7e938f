import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readAll, startGuest } from "./harness.ts";

describe("threads", () => {
  it("share memory and descriptors", async (t) => {
    const workload = startGuest(t, { guest: "threads", argc: 1 });
    const [output, { outcome }] = await Promise.all([readAll(workload.stdout), workload.result]);
    assert.deepEqual(outcome, { kind: "exit", code: 40 });
    assert.equal([...output.toString()].sort().join(""), "ABCD");
  });

  it("end together when one traps", async (t) => {
    const { outcome } = await startGuest(t, { guest: "threads", argc: 2 }).result;
    assert.ok(outcome.kind === "trap", JSON.stringify(outcome));
    assert.equal(outcome.reason, "unreachable instruction executed");
  });

  it("end together when one exits", async (t) => {
    const { outcome } = await startGuest(t, { guest: "threads", argc: 3 }).result;
    assert.deepEqual(outcome, { kind: "exit", code: 5 });
  });

  it("are refused above their limit", async (t) => {
    const { outcome } = await startGuest(t, { guest: "threads", argc: 1, limits: { threads: 3 } })
      .result;
    assert.deepEqual(outcome, { kind: "exit", code: 90 });
  });
});
