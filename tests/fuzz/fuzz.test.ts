/** The fuzzer finds what is planted, and gives the same inputs for the same seed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DonjonError } from "@donjon/core/errors";
import { Finding, fuzz } from "./fuzz.ts";
import { createMutator } from "./mutator.ts";
import { createTargets, type Target } from "./targets.ts";

const SEEDS = [new Uint8Array(64).fill(7), new Uint8Array(200).fill(0x31)];

function target(run: Target["run"]): Target {
  return { name: "planted", seeds: SEEDS, run };
}

test("the same seed gives the same inputs, another seed others", () => {
  const inputs = (seed: number) => {
    const mutator = createMutator(seed);
    return Array.from({ length: 200 }, () => Buffer.from(mutator.next(SEEDS)).toString("hex"));
  };
  assert.deepEqual(inputs(1), inputs(1));
  assert.notDeepEqual(inputs(1), inputs(2));
  assert.ok(new Set(inputs(3)).size > 150);
});

test("another error, a lie and a slow input are findings; a refusal is none", async () => {
  const run = (planted: Target) => fuzz([planted], createMutator(1), 0.2);
  const refusing = await run(
    target(() => {
      throw new DonjonError("bytes/invalid", "no");
    }),
  );
  assert.ok(refusing.inputs > 100 && refusing.refused === refusing.inputs);
  const wrong = target((input) => {
    if (input.length < 20) throw new RangeError("offset is outside the bounds");
  });
  await assert.rejects(run(wrong), Finding);
  const lying = target((input) => (input[0] === 8 ? "accepted with other claims" : undefined));
  await assert.rejects(fuzz([lying], createMutator(1), 5), /accepted with other claims/);
  const slow = target(() => {
    const until = performance.now() + 2100;
    while (performance.now() < until);
  });
  await assert.rejects(run(slow), /took \d+ ms/);
});

test("two seconds over made-up evidence find nothing", async () => {
  const { inputs, refused } = await fuzz(await createTargets([]), createMutator(7), 2);
  assert.ok(inputs > 200 && refused > 0, `${inputs} inputs`);
});
