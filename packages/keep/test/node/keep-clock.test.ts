import assert from "node:assert/strict";
import { test } from "node:test";
import { createKeepClock } from "../../src/node/keep-clock.ts";

const DAY_MS = 86_400_000;

test("the clock is the host's until somebody authenticated says more", () => {
  const clock = createKeepClock();
  const before = Date.now();
  const now = clock.now();
  assert.ok(now >= before && now <= Date.now());
});

test("the clock never shows less than it was told, whatever the host's clock does, and goes on", (context) => {
  const clock = createKeepClock();
  const told = Date.now() + 10 * DAY_MS;
  clock.learn(told);
  assert.ok(clock.now() >= told);
  clock.learn(told - 20 * DAY_MS);
  assert.ok(clock.now() >= told);
  context.mock.method(Date, "now", () => 0);
  const first = clock.now();
  assert.ok(first >= told && first < told + DAY_MS);
  context.mock.method(Date, "now", () => told + 5 * DAY_MS);
  assert.equal(clock.now(), told + 5 * DAY_MS);
});

test("the largest time that a client can say is taken as it is", () => {
  const clock = createKeepClock();
  clock.learn(8.64e15);
  assert.ok(clock.now() >= 8.64e15);
});
