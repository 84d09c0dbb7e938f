/** What is short-lived is issued again; who the machine is stays. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { AttestError } from "@donjon/attest/snp";
import { openSecurityProcessor } from "../src/security-processor.ts";
import { evidenceOf, KINDS, machineDirectory, rootsOf, verify } from "./machines.ts";

const DAY_MS = 86_400_000;
const START = new Date("2026-11-22T12:00:00.250Z");

function clockAt(days: number): { readonly now: () => Date; set(days: number): void } {
  let at = days;
  return {
    now: () => new Date(START.getTime() + at * DAY_MS),
    set: (to) => {
      at = to;
    },
  };
}

/** A machine first opened at `START`. */
async function machineAtStart() {
  const directory = machineDirectory();
  const { now } = clockAt(0);
  const { trust } = await openSecurityProcessor(directory, { now });
  return { directory, trust, stored: () => readFileSync(join(directory, "trust.json"), "utf8") };
}

test("opening writes the trust again when its lists near their end, and not before", async () => {
  const { directory, trust, stored } = await machineAtStart();
  const first = stored();
  const early = await openSecurityProcessor(directory, { now: clockAt(19).now });
  assert.equal(stored(), first);
  assert.deepEqual(early.trust, trust);
  const late = await openSecurityProcessor(directory, { now: clockAt(21).now });
  assert.notEqual(stored(), first);
  assert.deepEqual(rootKeys(late.trust), rootKeys(trust));
  assert.equal(late.trust.fingerprint, trust.fingerprint);
});

test("a clock that was set back has the trust written again, valid then", async () => {
  const { directory, trust } = await machineAtStart();
  const { now } = clockAt(-400);
  const back = await openSecurityProcessor(directory, { now });
  assert.equal(back.trust.fingerprint, trust.fingerprint);
  for (const kind of KINDS) await verify(await evidenceOf(back, kind), rootsOf(trust), now());
});

test("a processor that runs for years makes evidence that verifies on every day, by the root of its first day", async () => {
  const { directory, trust } = await machineAtStart();
  const clock = clockAt(0);
  const processor = await openSecurityProcessor(directory, { now: clock.now });
  for (const days of [0, 19, 20.5, 49, 120, 8 * 365]) {
    clock.set(days);
    for (const kind of KINDS)
      await verify(await evidenceOf(processor, kind), rootsOf(trust), clock.now());
  }
});

test("a trust of weeks ago refuses quotes as stale, and still takes reports, which bring a new list", async () => {
  const { directory, trust } = await machineAtStart();
  const { now } = clockAt(40);
  const processor = await openSecurityProcessor(directory, { now });
  await verify(await evidenceOf(processor, "snp", trust), rootsOf(trust), now());
  await assert.rejects(
    verify(await evidenceOf(processor, "sgx", trust), rootsOf(trust), now()),
    (error) => error instanceof AttestError && error.reason === "intel/root-crl-stale",
  );
});

test("calls at once renew once, and renewTrust gives what they gave", async () => {
  const { directory, stored } = await machineAtStart();
  const clock = clockAt(0);
  const processor = await openSecurityProcessor(directory, { now: clock.now });
  clock.set(40);
  const all = await Promise.all(Array.from({ length: 8 }, () => processor.renewTrust()));
  assert.equal(new Set(all).size, 1);
  assert.equal(await processor.renewTrust(), all[0]);
  assert.equal(processor.trust, all[0]);
  assert.ok(stored().includes(all[0]!.validUntil));
});

function rootKeys({ amd, intel }: Awaited<ReturnType<typeof machineAtStart>>["trust"]) {
  return [amd.ark.spki, amd.ask.spki, intel.root.spki];
}
