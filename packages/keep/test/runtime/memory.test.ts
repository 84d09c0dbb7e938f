/**
 * A file of its own, so a process of its own: the limit of memory holds for the process, and the engine
 * needs more than these few pages to start another worker from sources.
 */
import assert from "node:assert/strict";
import { it } from "node:test";
import { startGuest } from "./harness.ts";

it("memory growth ends at the limit, and the guest is told", async (t) => {
  const limits = { memoryBytes: 7 << 16 };
  const { outcome } = await startGuest(t, { guest: "grow", limits }).result;
  assert.deepEqual(outcome, { kind: "exit", code: 7 });
});
