import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DonjonError } from "@donjon/core/errors";
import fc from "fast-check";
import { checkModule } from "../../src/runtime/load-module.ts";
import { scanModule } from "../../src/runtime/module-scan.ts";
import { guestBytes } from "./harness.ts";

const MEMORY_LIMIT = 64 << 20;

describe("scanModule", () => {
  it("finds imports, exports, memories and sizes", () => {
    const scan = scanModule(guestBytes("threads"));
    const memory = { minimum: 1, maximum: 16, shared: true, is64: false };
    assert.deepEqual(scan.imports[0], { module: "env", name: "memory", kind: "memory", memory });
    assert.equal(scan.imports.length, 5);
    assert.deepEqual([...scan.functions].sort(), ["_start", "wasi_thread_start"]);
    assert.deepEqual([...scan.exports].sort(), ["_start", "memory", "wasi_thread_start"]);
    assert.equal(scan.functionCount, 3);
    assert.ok(scan.codeBytes > 100);
    assert.equal(scanModule(guestBytes("tables")).tableCount, 40);
  });

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

  it("answers or throws a DonjonError for any sections", () => {
    const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
    const section = fc.tuple(fc.nat(13), fc.uint8Array({ maxLength: 40 }));
    fc.assert(
      fc.property(fc.array(section, { maxLength: 6 }), (sections) => {
        const body = sections.flatMap(([id, bytes]) => [id, bytes.length, ...bytes]);
        try {
          scanModule(Uint8Array.from([...header, ...body]));
        } catch (error) {
          assert.ok(error instanceof DonjonError, String(error));
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("checkModule", () => {
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
