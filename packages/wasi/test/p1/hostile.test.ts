import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { Errno } from "../../src/errno.ts";
import { FUNCTION_NAMES, FUNCTIONS } from "../../src/p1/functions.ts";
import { createInstance, PAGE, putIovs, type TestInstance } from "./support/instance.ts";
import { createPipe } from "./support/pipe.ts";

const RUNS = 2_000;
const CALLS = 30;
const LARGEST_ERRNO = Math.max(...Object.values(Errno));

/** What a guest may pass: small numbers, addresses near edges, anything. */
const i32 = fc.oneof(
  fc.nat({ max: 12 }),
  fc.nat({ max: 2 * PAGE }),
  fc.integer({ min: 2 * PAGE - 64, max: 2 * PAGE + 8 }),
  fc.integer(),
);
const i64 = fc.oneof(
  fc.bigInt({ min: 0n, max: 64n }),
  fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }),
);

const call = fc
  .constantFrom(...FUNCTION_NAMES.filter((name) => name !== "proc_exit"))
  .chain((name) =>
    fc.record({
      name: fc.constant(name),
      args: fc.tuple(
        ...[...FUNCTIONS[name].params].map(
          (type): fc.Arbitrary<number | bigint> => (type === "i" ? i32 : i64),
        ),
      ),
    }),
  );

class Waited extends Error {}

function createVictim(shared: boolean, content: Uint8Array): TestInstance {
  const pipe = createPipe(64);
  const instance = createInstance({
    shared,
    descriptors: [
      { kind: "input", stream: pipe.input },
      { kind: "output", stream: pipe.output },
      { kind: "null" },
      { kind: "connection", connection: createPipe(16) },
      { kind: "listener", listener: { accept: () => createPipe(4), ready: () => 1, close() {} } },
    ],
  });
  instance.waiter.onWait = () => {
    throw new Waited();
  };
  instance.put(0, content);
  return instance;
}

for (const shared of [false, true]) {
  test(`any sequence of calls is answered with errnos, ${shared ? "shared" : "unshared"} memory`, () => {
    const content = fc.uint8Array({ minLength: 0, maxLength: 512 });
    fc.assert(
      fc.property(content, fc.array(call, { maxLength: CALLS }), (bytes, calls) => {
        const victim = createVictim(shared, bytes);
        for (const { name, args } of calls) {
          try {
            const errno = victim.call(name, ...args);
            assert.ok(
              Number.isInteger(errno) && errno >= 0 && errno <= LARGEST_ERRNO,
              `${name}: ${errno}`,
            );
          } catch (error) {
            // It would wait for something that never comes: right, but nothing to wait for here.
            if (!(error instanceof Waited)) throw error;
          }
        }
      }),
      { numRuns: RUNS },
    );
  });
}

test("buffers that another thread makes bad during a call are not followed", () => {
  const instance = createInstance({
    shared: true,
    descriptors: [
      { kind: "null" },
      {
        kind: "output",
        stream: {
          write(_memory, _offset, length) {
            putIovs(instance, 0x108, [0xffff_0000, 0xffff]);
            return length;
          },
          ready: () => 1,
          close() {},
        },
      },
      { kind: "null" },
    ],
  });
  assert.equal(instance.call("fd_fdstat_set_flags", 1, 4), Errno.success);
  putIovs(instance, 0x100, [0x1000, 8], [0x2000, 8]);
  assert.equal(instance.call("fd_write", 1, 0x100, 2, 0x400), Errno.success);
  assert.equal(instance.view().getUint32(0x400, true), 8);
});

test("buffers that another thread makes bad during a blocking write end it", () => {
  const instance = createInstance({
    shared: true,
    descriptors: [
      { kind: "null" },
      {
        kind: "output",
        stream: {
          write(_memory, _offset, length) {
            putIovs(instance, 0x108, [0xffff_0000, 0xffff]);
            return length;
          },
          ready: () => 1,
          close() {},
        },
      },
      { kind: "null" },
    ],
  });
  putIovs(instance, 0x100, [0x1000, 8], [0x2000, 8]);
  assert.equal(instance.call("fd_write", 1, 0x100, 2, 0x400), Errno.success);
  assert.equal(instance.view().getUint32(0x400, true), 8);
});
