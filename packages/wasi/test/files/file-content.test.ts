import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { CHUNK_BYTES, FileContent, MAX_FILE_BYTES } from "../../src/files/file-content.ts";
import { Space } from "../../src/files/space.ts";
import { expectOutcome } from "./support.ts";

const TIB = 2 ** 40;

function readAt(content: FileContent, position: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length).fill(0xee);
  const count = content.read(bytes, 0, length, position);
  return bytes.subarray(0, count);
}

suite("file content", () => {
  test("keeps small files small and charges what it allocates", () => {
    const space = new Space(1e6);
    const content = new FileContent(space);
    content.write(new Uint8Array(10).fill(1), 0, 10, 0);
    assert.ok(space.used < 400, `${space.used}`);
    content.truncate(0);
    assert.equal(space.used, 0);
  });

  test("carries a tebibyte of hole for nothing and reads zeros from it", () => {
    const space = new Space(1e6);
    const content = new FileContent(space);
    expectOutcome(content.truncate(TIB), "ok");
    assert.equal(space.used, 0);
    assert.deepEqual(readAt(content, TIB / 2 - 3, 8), new Uint8Array(8));
    assert.equal(content.write(Uint8Array.of(1, 2, 3), 0, 3, TIB - 3), 3);
    assert.deepEqual(readAt(content, TIB - 5, 100), Uint8Array.of(0, 0, 1, 2, 3));
    assert.ok(space.used < CHUNK_BYTES + 1000);
    content.truncate(1);
    assert.equal(space.used, 0);
  });

  test("refuses what lies past the largest size", () => {
    const content = new FileContent(new Space(1e6));
    expectOutcome(content.truncate(MAX_FILE_BYTES + 1), "fbig");
    expectOutcome(content.write(new Uint8Array(2), 0, 2, MAX_FILE_BYTES - 1), "fbig");
    expectOutcome(content.allocate(Number.MAX_SAFE_INTEGER - 1, 1), "fbig");
    assert.equal(content.size, 0);
  });

  test("allocates the whole of a range, or nothing", () => {
    const space = new Space(1_000_000);
    const content = new FileContent(space);
    expectOutcome(content.allocate(0, 2_000_000), "nospc");
    expectOutcome(content.allocate(2 ** 42, 999_999), "nospc");
    assert.equal(space.used, 0);
    expectOutcome(content.allocate(0, 999_999 - 4 * 320), "ok");
    content.truncate(0);
    expectOutcome(content.allocate(100, 300_000), "ok");
    assert.equal(content.size, 300_100);
    assert.ok(space.used >= 300_100);
    const used = space.used;
    content.write(new Uint8Array(300_100), 0, 300_100, 0);
    assert.equal(space.used, used, "writing what was allocated takes nothing more");
    expectOutcome(content.allocate(10, 10), "ok");
    assert.equal(content.size, 300_100);
  });

  test("never writes to the packed content it shows", () => {
    const base = new Uint8Array(CHUNK_BYTES + 100).fill(7);
    const copy = base.slice();
    const content = new FileContent(new Space(1e7), base);
    assert.ok(content.isInPlace(base));
    content.write(Uint8Array.of(1), 0, 1, 5);
    content.write(Uint8Array.of(2), 0, 1, CHUNK_BYTES + 99);
    assert.ok(!content.isInPlace(base));
    assert.deepEqual(readAt(content, 4, 3), Uint8Array.of(7, 1, 7));
    assert.deepEqual(readAt(content, CHUNK_BYTES + 98, 3), Uint8Array.of(7, 2));
    content.truncate(3);
    content.truncate(10);
    assert.deepEqual(readAt(content, 0, 99), Uint8Array.of(7, 7, 7, 0, 0, 0, 0, 0, 0, 0));
    assert.deepEqual(base, copy);
  });

  test("reads into and writes from shared memory", () => {
    const content = new FileContent(new Space(1e6));
    const memory = new Uint8Array(new SharedArrayBuffer(1000)).fill(3);
    content.write(memory, 0, 500, 0);
    memory.fill(0);
    assert.equal(content.read(memory, 500, 500, 0), 500);
    assert.equal(memory[499], 0);
    assert.equal(memory[500], 3);
  });

  test("behaves as one long array for every sequence of changes", () => {
    const LENGTH = 3 * CHUNK_BYTES;
    // Near the edges of chunks and of the packed content, where mistakes live.
    const near = fc.oneof(
      fc.nat({ max: 100 }),
      fc.integer({ min: CHUNK_BYTES - 70, max: CHUNK_BYTES + 70 }),
      fc.integer({ min: 2 * CHUNK_BYTES - 70, max: 2 * CHUNK_BYTES + 70 }),
      fc.nat({ max: LENGTH - 1 }),
    );
    const change = fc.oneof(
      fc.record({ op: fc.constant("write" as const), at: near, length: near }),
      fc.record({ op: fc.constant("truncate" as const), at: near, length: fc.constant(0) }),
      fc.record({ op: fc.constant("allocate" as const), at: near, length: near }),
    );
    fc.assert(
      fc.property(near, fc.array(change, { maxLength: 12 }), (baseBytes, changes) => {
        const space = new Space(1e8);
        const base = new Uint8Array(baseBytes).map((_, i) => i % 251);
        const content = new FileContent(space, base);
        let model: Uint8Array = base.slice();
        const resize = (size: number) => {
          const next = new Uint8Array(size);
          next.set(model.subarray(0, size));
          model = next;
        };
        let stamp = 0;
        for (const { op, at, length: wanted } of changes) {
          const length = Math.min(wanted, LENGTH - at);
          if (op === "truncate") {
            assert.equal(content.truncate(at), 0);
            resize(at);
          } else if (op === "allocate") {
            assert.equal(content.allocate(at, length), 0);
            if (at + length > model.length) resize(at + length);
          } else if (length > 0) {
            stamp = (stamp % 255) + 1;
            assert.equal(content.write(new Uint8Array(length).fill(stamp), 0, length, at), length);
            if (at + length > model.length) resize(at + length);
            model.fill(stamp, at, at + length);
          }
        }
        assert.equal(content.size, model.length);
        assert.equal(Buffer.compare(readAt(content, 0, LENGTH + 10), model), 0);
        assert.equal(Buffer.compare(Buffer.concat([...content.pieces()]), model), 0);
        assert.ok(content.equals(model));
        content.truncate(0);
        assert.equal(space.used, 0);
      }),
      { numRuns: 150 },
    );
  });
});
