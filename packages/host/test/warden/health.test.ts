import assert from "node:assert/strict";
import { test } from "node:test";
import type { KeepHealth } from "../../src/gate/gate.ts";
import { createHealthDesk } from "../../src/warden/health.ts";

/** A Keep that answers when the test says so. */
function createSlowKeep() {
  const questions: PromiseWithResolvers<KeepHealth>[] = [];
  const health = () => {
    const question = Promise.withResolvers<KeepHealth>();
    questions.push(question);
    return question.promise;
  };
  return { questions, gate: { health } };
}

test("a Keep that does not answer is asked once, and every asker is told in time", async () => {
  const { questions, gate } = createSlowKeep();
  const ask = createHealthDesk(gate, 20);
  assert.deepEqual(await Promise.all([ask(), ask()]), [null, null]);
  for (let i = 0; i < 1000; i++) assert.equal(await ask(), null);
  assert.equal(questions.length, 1);
});

test("once it has answered it is asked anew", async () => {
  const { questions, gate } = createSlowKeep();
  const ask = createHealthDesk(gate, 60_000);
  const both = Promise.all([ask(), ask()]);
  questions[0]!.resolve({ protocol: 1, state: "new" });
  assert.deepEqual(await both, ["new", "new"]);
  const next = ask();
  questions[1]!.resolve({ protocol: 1, state: "running" });
  assert.equal(await next, "running");
  const late = ask();
  questions[2]!.reject(new Error("the pipe is gone"));
  assert.equal(await late, null);
  assert.equal(questions.length, 3);
});

test("a Keep that answers late is asked anew from then on", async () => {
  const { questions, gate } = createSlowKeep();
  const ask = createHealthDesk(gate, 1);
  assert.equal(await ask(), null);
  questions[0]!.resolve({ protocol: 1, state: "running" });
  await questions[0]!.promise;
  const next = ask();
  assert.equal(questions.length, 2);
  questions[1]!.resolve({ protocol: 1, state: "exited" });
  assert.equal(await next, "exited");
});
