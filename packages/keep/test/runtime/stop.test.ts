import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readable, STDIO, startGuest } from "./harness.ts";

const LISTENING = [...STDIO, { kind: "listen", name: "web" }] as const;

describe("stop", () => {
  const calls = ["", "fd_read", "poll_oneoff", "sock_accept", "fd_write"];
  for (const [argc, call] of calls.entries()) {
    if (argc === 0) continue;
    it(`ends a guest that waits in ${call}`, async (t) => {
      const workload = startGuest(t, { guest: "wait", argc, descriptors: LISTENING });
      await readable(workload.stderr);
      workload.stop("interrupt");
      const { outcome } = await workload.result;
      assert.deepEqual(outcome, { kind: "stopped", how: "interrupt" });
    });
  }

  it("kills a guest that spins", async (t) => {
    const workload = startGuest(t, { guest: "spin" });
    while (!workload.phases.has("instantiate")) await new Promise(setImmediate);
    workload.stop("kill");
    const { outcome } = await workload.result;
    assert.deepEqual(outcome, { kind: "stopped", how: "kill" });
  });

  it("keeps the first outcome when stopped after the exit", async (t) => {
    const workload = startGuest(t, { guest: "exit", argc: 3 });
    const { outcome } = await workload.result;
    workload.stop("kill");
    assert.deepEqual(outcome, { kind: "exit", code: 3 });
    assert.deepEqual((await workload.result).outcome, outcome);
  });

  it("stops a workload that has not started yet", async (t) => {
    const workload = startGuest(t, { guest: "spin" });
    workload.stop("kill");
    assert.deepEqual((await workload.result).outcome, { kind: "stopped", how: "kill" });
  });
});

describe("poll_oneoff", () => {
  it("sleeps at least as long as asked", async (t) => {
    const { outcome } = await startGuest(t, { guest: "sleep" }).result;
    assert.deepEqual(outcome, { kind: "exit", code: 1 });
  });

  it("wakes from a long poll when stdin has bytes", async (t) => {
    const workload = startGuest(t, { guest: "wait", argc: 2 });
    await readable(workload.stderr);
    assert.equal(workload.stdin.write(Buffer.from("x")), 1);
    assert.deepEqual((await workload.result).outcome, { kind: "exit", code: 9 });
  });

  it("wakes from a long poll when stdin ends", async (t) => {
    const workload = startGuest(t, { guest: "wait", argc: 2 });
    await readable(workload.stderr);
    workload.stdin.end();
    assert.deepEqual((await workload.result).outcome, { kind: "exit", code: 9 });
  });
});
