import assert from "node:assert/strict";
import { test } from "node:test";
import { readNumbers, runGuest } from "./guest.ts";

const FAULT = 21;
const NOMEM = 48;

test("descriptors that were not given are badf for every function", async () => {
  const { code, stdout, stderr } = await runGuest("descriptors", { flags: ["--tmp"] });
  assert.equal(code, 0, stderr);
  const lines = stdout.trimEnd().split("\n");
  assert.equal(lines.length, 40, "40 uses of descriptors, and no other line");
  // 4 to 4096, and seven numbers at the edges of 32 bits.
  for (const line of lines) assert.match(line, /^(fd|path|sock|poll)_\S+ badf 4100$/);
});

test("pointers at the end of memory work, and beyond it are a fault, for every function", async () => {
  const { code, stdout, stderr } = await runGuest("edges", {
    flags: ["--tmp", "--stderr", "null", "--env", "A=B"],
    args: ["one"],
  });
  assert.equal(code, 0, stderr);
  const lines = stdout.trimEnd().split("\n");
  assert.equal(lines.shift(), "setup file 4");
  const huge = lines.filter((line) => line.startsWith("huge "));
  assert.equal(huge.length, 5 * 12);
  for (const line of huge) assert.match(line, / 21$/);
  const sums = lines.filter((line) => line.startsWith("sum "));
  assert.deepEqual(sums, [
    "sum null-device 0",
    "sum moved-below-4-GiB 1",
    "sum last-is-bad 21",
    "sum last-is-bad-moved 0",
  ]);
  const placed = lines.filter((line) => !/^(huge|sum) /.test(line));
  assert.equal(placed.length, 51 * 7, "51 pointers in seven places");
  for (const line of placed) {
    const [, place, errno] = line.split(" ");
    if (place === "edge") assert.notEqual(Number(errno), FAULT, line);
    else assert.equal(Number(errno), FAULT, line);
  }
});

test("poll_oneoff takes 65,536 subscriptions, and refuses a million, 2^32-1 and odd ones", async () => {
  const { code, stdout, stderr } = await runGuest("polls", { flags: ["--tmp"] });
  assert.equal(code, 0, stderr);
  assert.deepEqual(Object.fromEntries(readNumbers(stdout)), {
    "million-clocks": NOMEM,
    "65536-clocks": 0,
    "65536-clocks-events": 65_536,
    "65537-clocks": NOMEM,
    "65536-writes": 0,
    "65536-writes-events": 65_536,
    none: 28,
    "4-GiB-minus-1": FAULT,
    "2-GiB": FAULT,
    "product-wraps": FAULT,
    // Buffers that overlap get some answer of the table.
    "overlap-answers": 1,
    "result-in-events": 1,
    "result-in-subscriptions": 1,
    "unknown-type": 28,
    "type-255": 28,
    "unknown-flags": 28,
    "clock-that-cannot-be-waited-for": 28,
    "read-of-stdout": 8,
    "read-of-directory": 8,
    "longest-time-and-ready": 0,
    "longest-time-and-ready-events": 1,
    "time-long-gone": 0,
    "real-time-long-gone": 0,
  });
});

for (const how of ["relative", "absolute", "real", "many"]) {
  test(`a poll with a ${how} time of 2^64-1 waits, and the time limit ends it`, async () => {
    const { code, stdout, stderr } = await runGuest("polls", {
      flags: ["--time", "300ms"],
      args: [how],
    });
    assert.equal(stdout, "waiting\n");
    assert.equal(code, 124);
    assert.equal(stderr, "donjon: the workload was ended by its time limit of 300 ms\n");
  });
}

test("arguments that another thread changes during the call are read once or refused", async () => {
  const { code, stdout, stderr } = await runGuest("threads", {
    flags: ["--tmp"],
    args: ["memory"],
  });
  assert.equal(code, 0, stderr);
  const found = readNumbers(stdout);
  assert.equal(found.get("turns"), 1);
  // Good, fault, a path that leads out, a path that is half of each.
  for (const name of found.keys()) assert.match(name, /^(turns|errno-(0|21|28|44|63))$/);
  assert.ok(found.get("errno-0")! > 0 && found.get("errno-21")! > 0, stdout);
});
