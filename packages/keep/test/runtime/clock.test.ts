import assert from "node:assert/strict";
import { test } from "node:test";
import { createEngineClock } from "../../src/runtime/engine-clock.ts";
import { readAll, startGuest } from "./harness.ts";

const DAY_NS = 86_400_000_000_000n;
const realNs = () => BigInt(Date.now()) * 1_000_000n;
const SECOND_NS = 1_000_000_000n;
/** What two readings of clocks one after the other may be apart here. */
const LOOSE_NS = 10n * SECOND_NS;

const near = (found: bigint, wanted: bigint) =>
  assert.ok(found > wanted - LOOSE_NS && found < wanted + LOOSE_NS, `${found}, wanted ${wanted}`);

test("real time follows the host's clock while that is not before the lower bound", (context) => {
  const clock = createEngineClock(-DAY_NS);
  near(clock.realtime(), realNs());
  const ahead = Date.now() + 3 * 86_400_000;
  context.mock.method(Date, "now", () => ahead);
  assert.equal(clock.realtime(), BigInt(ahead) * 1_000_000n);
});

test("real time never shows a host's clock that was rolled back behind the lower bound, and goes on", (context) => {
  const told = realNs();
  const clock = createEngineClock(told - process.hrtime.bigint());
  for (const back of [1n, 1000n * DAY_NS, 20n * 365n * DAY_NS]) {
    context.mock.method(Date, "now", () => Number((told - back) / 1_000_000n));
    const first = clock.realtime();
    assert.ok(first >= told, `${first} is before ${told}`);
    const begun = process.hrtime.bigint();
    while (process.hrtime.bigint() - begun < 2_000_000n);
    assert.ok(clock.realtime() >= first + 2_000_000n);
    context.mock.restoreAll();
  }
});

/** Writes its real time, 8 octets, little-endian, to stdout. */
const CLOCK_GUEST = Uint8Array.from([
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  // types: clock_time_get, fd_write, _start
  ...[1, 19, 3, 0x60, 3, 0x7f, 0x7e, 0x7f, 1, 0x7f, 0x60, 4, 0x7f, 0x7f, 0x7f, 0x7f, 1, 0x7f],
  ...[0x60, 0, 0],
  ...[2, 75, 2],
  ...[22, ...Buffer.from("wasi_snapshot_preview1"), 14, ...Buffer.from("clock_time_get"), 0, 0],
  ...[22, ...Buffer.from("wasi_snapshot_preview1"), 8, ...Buffer.from("fd_write"), 0, 1],
  ...[3, 2, 1, 2],
  ...[5, 3, 1, 0, 1],
  ...[7, 19, 2, 6, ...Buffer.from("_start"), 0, 2, 6, ...Buffer.from("memory"), 2, 0],
  ...[10, 38, 1, 36, 0],
  // clock_time_get(realtime, 0, 16)
  ...[0x41, 0, 0x42, 0, 0x41, 16, 0x10, 0, 0x1a],
  // iovec at 0: 16, 8
  ...[0x41, 0, 0x41, 16, 0x36, 2, 0, 0x41, 4, 0x41, 8, 0x36, 2, 0],
  // fd_write(1, 0, 1, 8)
  ...[0x41, 1, 0x41, 0, 0x41, 1, 0x41, 8, 0x10, 1, 0x1a, 0x0b],
]);

test("a workload whose host has rolled its clock back sees the owner's time", async (context) => {
  // To the worker, a bound of ten days ahead is what a host ten days behind is.
  const told = realNs() + 10n * DAY_NS;
  const workload = startGuest(context, {
    guest: CLOCK_GUEST,
    clockFloorNs: told - process.hrtime.bigint(),
  });
  const shown = (await readAll(workload.stdout)).readBigUInt64LE();
  assert.ok(shown >= told, `${shown} is before ${told}`);
  near(shown, told);
});
