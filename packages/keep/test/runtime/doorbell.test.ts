import assert from "node:assert/strict";
import { test } from "node:test";
import { TurnSignal } from "../../src/runtime/doorbell.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("all that rings within one turn of the event loop, microtasks among it, rings once", async () => {
  let rings = 0;
  const signal = new TurnSignal({
    ring() {
      rings += 1;
    },
  });
  signal.ring();
  await Promise.resolve();
  signal.ring();
  signal.ring();
  assert.equal(rings, 0);
  await turn();
  assert.equal(rings, 1);
  await turn();
  assert.equal(rings, 1);
});

test("what rings while it is passed on rings once more", async () => {
  let rings = 0;
  const signal: TurnSignal = new TurnSignal({
    ring() {
      rings += 1;
      if (rings < 3) signal.ring();
    },
  });
  signal.ring();
  for (const _ of [1, 2, 3, 4]) await turn();
  assert.equal(rings, 3);
});
