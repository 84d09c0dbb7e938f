import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DonjonError } from "@donjon/core/errors";
import fc from "fast-check";
import { checkModule } from "../../src/runtime/load-module.ts";
import { OPTIMIZE_AT_ONCE_BYTES } from "../../src/runtime/tiers.ts";
import { guestBytes } from "./harness.ts";

const MEMORY_LIMIT = 64 << 20;

/** A module that can be checked, not compiled: `size` bytes of nothing stand for its code. */
function padCode(size: number): Uint8Array {
  const bytes = guestBytes("exit");
  const sizeBytes = [0, 7, 14].map((shift, i) => ((size >> shift) & 0x7f) | (i < 2 ? 0x80 : 0));
  return Uint8Array.from([...bytes, 10, ...sizeBytes, ...new Uint8Array(size)]);
}

describe("checkModule", () => {
  it("answers or throws a DonjonError for every change of one byte", () => {
    const whole = guestBytes("threads");
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, value) => {
        const bytes = Uint8Array.from(whole);
        bytes[at] = value;
        try {
          checkModule(bytes, MEMORY_LIMIT);
        } catch (error) {
          assert.ok(error instanceof DonjonError, String(error));
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("chooses the tier by the size of the code alone, whatever custom sections hold", () => {
    const name = [...Buffer.from("producers")];
    const broken = [0, name.length + 3, name.length, ...name, 0xff, 0xff];
    const bytes = Uint8Array.from([...guestBytes("threads"), ...broken]);
    assert.equal(checkModule(bytes, MEMORY_LIMIT).tier, "optimized");
    assert.equal(checkModule(padCode(OPTIMIZE_AT_ONCE_BYTES), MEMORY_LIMIT).tier, "optimized");
    assert.equal(checkModule(padCode(OPTIMIZE_AT_ONCE_BYTES + 1), MEMORY_LIMIT).tier, "lazy");
  });

  it("counts tables", () => {
    assert.equal(checkModule(guestBytes("tables"), MEMORY_LIMIT).tableCount, 40);
  });

  it("names every import that is missing", () => {
    assert.throws(() => checkModule(guestBytes("foreign"), MEMORY_LIMIT), {
      code: "workload/unsupported",
      details: { missing: 2 },
    });
  });

  it("refuses a 64-bit memory and several memories without a bound", () => {
    const memory = (...limits: number[]) =>
      Uint8Array.of(
        0,
        0x61,
        0x73,
        0x6d,
        1,
        0,
        0,
        0,
        1,
        4,
        1,
        0x60,
        0,
        0,
        3,
        2,
        1,
        0,
        5,
        limits.length,
        ...limits,
        7,
        10,
        1,
        6,
        0x5f,
        0x73,
        0x74,
        0x61,
        0x72,
        0x74,
        0,
        0,
      );
    assert.throws(() => checkModule(memory(1, 4, 1), MEMORY_LIMIT), /64-bit memory/);
    assert.throws(() => checkModule(memory(2, 0, 1, 0, 1), MEMORY_LIMIT), /2 memories/);
    assert.equal(checkModule(memory(2, 1, 1, 2, 1, 1, 2), MEMORY_LIMIT).entry, "_start");
  });
});
