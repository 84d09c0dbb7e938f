import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { RingReader, RingWriter, ringBytes } from "../../src/runtime/ring.ts";

const CAPACITY = 64;

function createRing(capacity = CAPACITY) {
  const rung = { reader: 0, writer: 0 };
  const buffer = new SharedArrayBuffer(ringBytes(capacity));
  const writer = new RingWriter(buffer, 0, capacity, { ring: () => rung.reader++ });
  const reader = new RingReader(buffer, 0, capacity, { ring: () => rung.writer++ });
  return { buffer, rung, writer, reader };
}

/** 0, 1, 2, ... modulo 251, so that a shift by any power of two shows. */
const pattern = (from: number, length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (from + i) % 251);

describe("ring", () => {
  it("keeps order and content for any sizes of writes and reads", () => {
    const step = fc.record({ kind: fc.constantFrom("write", "read", "peek"), size: fc.nat(100) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const { writer, reader } = createRing();
        let written = 0;
        let taken = 0;
        for (const { kind, size } of steps) {
          if (kind === "write") {
            const count = writer.write(pattern(written, size), 0, size);
            assert.equal(count, Math.min(size, CAPACITY - (written - taken)));
            written += count;
          } else {
            const memory = new Uint8Array(size + 2).fill(255);
            const count =
              kind === "read" ? reader.read(memory, 1, size) : reader.peek(memory, 1, size);
            assert.equal(count, Math.min(size, written - taken));
            assert.deepEqual(memory.subarray(1, 1 + count), pattern(taken, count));
            assert.ok(memory[0] === 255 && memory[1 + count] === 255);
            if (kind === "read") taken += count;
          }
          assert.equal(reader.available(), written - taken);
        }
      }),
    );
  });

  it("fails rather than pass on bytes that are not there", () => {
    const { writer, reader } = createRing();
    const memory = new WebAssembly.Memory({ initial: 1 });
    const before = new Uint8Array(memory.buffer);
    writer.write(pattern(0, 40), 0, 40);
    assert.throws(() => reader.peek(new Uint8Array(50), 20, 40), RangeError);
    memory.grow(1);
    assert.throws(() => reader.peek(before, 0, 40), RangeError);
    assert.throws(() => writer.write(before, 0, 20), RangeError);
    assert.equal(reader.available(), 40);
  });

  it("goes on where its counters pass 2^32", () => {
    const { buffer } = createRing();
    const words = new Int32Array(buffer);
    words[0] = -8;
    words[16] = -8;
    const writer = new RingWriter(buffer, 0, CAPACITY, { ring() {} });
    const reader = new RingReader(buffer, 0, CAPACITY, { ring() {} });
    for (let at = 0; at < 500; at += 5) {
      assert.equal(writer.write(pattern(at, 5), 0, 5), 5);
      const memory = new Uint8Array(5);
      assert.equal(reader.read(memory, 0, 5), 5);
      assert.deepEqual(memory, pattern(at, 5));
    }
  });

  it("rings the reader only when it may sleep", () => {
    const { writer, reader, rung } = createRing();
    writer.write(pattern(0, 4), 0, 4);
    assert.equal(rung.reader, 1);
    writer.write(pattern(4, 4), 0, 4);
    assert.equal(rung.reader, 1);
    reader.consume(8);
    writer.write(pattern(8, 1), 0, 1);
    assert.equal(rung.reader, 2);
  });

  it("rings the writer when half of a full ring is free", () => {
    const { writer, reader, rung } = createRing();
    assert.equal(writer.write(pattern(0, 100), 0, 100), CAPACITY);
    reader.consume(CAPACITY / 2 - 1);
    assert.equal(rung.writer, 0);
    reader.consume(1);
    assert.equal(rung.writer, 1);
  });

  it("ends only after the last byte", () => {
    const { writer, reader, rung } = createRing();
    writer.write(pattern(0, 3), 0, 3);
    writer.close();
    assert.equal(rung.reader, 2);
    assert.equal(reader.ended, false);
    reader.consume(3);
    assert.equal(reader.ended, true);
  });

  it("tells the writer that nobody reads", () => {
    const { writer, reader, rung } = createRing();
    reader.close();
    assert.equal(writer.abandoned, true);
    assert.equal(rung.writer, 1);
  });

  it("stays inside its bytes when the other side's counter is garbage", () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), (head, tail) => {
        const { buffer, writer, reader } = createRing();
        new Int32Array(buffer)[0] = head;
        new Int32Array(buffer)[16] = tail;
        assert.ok(reader.available() <= CAPACITY);
        assert.ok(reader.view().length <= CAPACITY);
        assert.ok(reader.view(200).length <= CAPACITY);
        assert.ok(writer.space() >= 0 && writer.space() <= CAPACITY);
        assert.ok(writer.write(pattern(0, 200), 0, 200) <= CAPACITY);
      }),
    );
  });

  it("shows what follows the bytes that are still being passed on", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: CAPACITY }),
        fc.integer({ min: 0, max: CAPACITY }),
        fc.integer({ min: 0, max: CAPACITY }),
        (before, count, skip) => {
          const { writer, reader } = createRing();
          writer.write(pattern(0, before), 0, before);
          reader.consume(before);
          writer.write(pattern(7, count), 0, count);
          const seen: number[] = [];
          for (let at = skip; ; ) {
            const piece = reader.view(at);
            if (piece.length === 0) break;
            seen.push(...piece);
            at += piece.length;
          }
          assert.deepEqual(seen, [...pattern(7, count).subarray(skip)]);
          assert.equal(reader.available(), count);
        },
      ),
    );
  });

  it("refuses to consume more than there is", () => {
    const { writer, reader } = createRing();
    writer.write(pattern(0, 3), 0, 3);
    assert.throws(() => reader.consume(4), RangeError);
  });

  it("refuses a capacity that is no power of two", () => {
    assert.throws(() => createRing(100), RangeError);
  });
});
