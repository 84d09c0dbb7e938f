import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { test } from "node:test";
import fc from "fast-check";
import { createFrameSender, type SendFrame } from "../../src/session/wire.ts";

/** Octets that a stream may hold before it says that they went: four records of TLS that are 64 KiB when they are sealed. */
const MOST_BYTES = 65_448;

/** One octet of the stream that comes after `at` others: neighbours differ, and so do places that lie 256 octets apart. */
function octetAt(at: number): number {
  return (at * 31 + (at >>> 8)) & 0xff;
}

/** The frames of `lengths`, whose octets count on from one to the next. */
function createFrames(lengths: readonly (readonly [number, number | null])[]) {
  let at = 0;
  const fill = (length: number) => Uint8Array.from({ length }, () => octetAt(at++));
  return lengths.map(([header, payload]) => ({
    header: fill(header),
    payload: payload === null ? null : fill(payload),
    end: at,
  }));
}

/** Holds what it is given until `pass`; counts it, and looks at every octet. */
class SlowStream extends Writable {
  /** How many chunks came in each write of the stream. */
  readonly writes: number[] = [];
  held = 0;
  mostHeld = 0;
  received = 0;
  passed = 0;
  unlike = 0;
  #done: ((error?: Error) => void) | null = null;

  constructor() {
    super({ highWaterMark: 1 });
    this.on("error", () => {});
  }

  override _writev(
    chunks: { readonly chunk: Uint8Array }[],
    done: (error?: Error | null) => void,
  ): void {
    this.writes.push(chunks.length);
    for (const { chunk } of chunks) {
      for (const octet of chunk) if (octet !== octetAt(this.received++)) this.unlike += 1;
      this.held += chunk.length;
    }
    // With what waits behind the write, too.
    this.mostHeld = Math.max(this.mostHeld, this.writableLength);
    this.#done = done;
  }

  /** Whether there was anything to pass on. */
  pass(error?: Error): boolean {
    const done = this.#done;
    if (done === null) return false;
    this.#done = null;
    this.passed += this.held;
    this.held = 0;
    done(error);
    return true;
  }
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

async function passAll(stream: SlowStream): Promise<void> {
  for (await settle(); stream.pass(); await settle());
}

const frames = fc.array(
  fc.record({
    header: fc.integer({ min: 1, max: 12 }),
    payload: fc.oneof(
      fc.constant(null),
      fc.integer({ min: 0, max: 300 }),
      fc.integer({ min: 0, max: 300 << 10 }),
      fc.integer({ min: -2, max: 2 }).map((by) => MOST_BYTES + by),
    ),
    /** Whether the stream goes on before the next frame is sent. */
    wait: fc.boolean(),
  }),
  { maxLength: 10 },
);

test("frames of any size come out in order and unchanged, and never more at once than is 64 KiB when sealed", async () => {
  await fc.assert(
    fc.asyncProperty(frames, async (plan) => {
      const stream = new SlowStream();
      const send = createFrameSender(stream);
      const told: number[] = [];
      const made = createFrames(plan.map(({ header, payload }) => [header, payload]));
      for (const [index, { header, payload, end }] of made.entries()) {
        send(header, payload, () => {
          assert.ok(stream.passed >= end, `frame ${index} is told before its last octet went`);
          // As a writer does that may use its memory again.
          payload?.fill(0xa5);
          told.push(index);
        });
        if (plan[index]!.wait) {
          await settle();
          stream.pass();
        }
      }
      await passAll(stream);
      assert.equal(stream.received, made.at(-1)?.end ?? 0);
      assert.equal(stream.unlike, 0);
      assert.ok(stream.mostHeld <= MOST_BYTES, `${stream.mostHeld} octets are held`);
      assert.deepEqual(
        told,
        made.map((_, index) => index),
      );
    }),
    { numRuns: 60 },
  );
});

test("a frame is told as sent as soon as its last octet went, not with those after it", async () => {
  const stream = new SlowStream();
  const send = createFrameSender(stream);
  const told: string[] = [];
  const [first, second] = createFrames([
    [4, 100],
    [4, 200_000],
  ]);
  send(first!.header, first!.payload, () => told.push("first"));
  send(second!.header, second!.payload, () => told.push("second"));
  await settle();
  assert.deepEqual(told, []);
  stream.pass();
  await settle();
  assert.deepEqual(told, ["first"]);
  await passAll(stream);
  assert.deepEqual(told, ["first", "second"]);
});

test("what is sent within one turn leaves in one write", async () => {
  const stream = new SlowStream();
  const send = createFrameSender(stream);
  for (const { header, payload } of createFrames([
    [4, 10],
    [4, null],
    [4, 1000],
  ])) {
    send(header, payload, null);
  }
  assert.deepEqual(stream.writes, []);
  await passAll(stream);
  assert.deepEqual(stream.writes, [5]);
});

test("what is sent by who is told that a frame went goes after what waited already", async () => {
  const stream = new SlowStream();
  const send = createFrameSender(stream);
  const [first, second, third] = createFrames([
    [4, 100],
    [4, 100_000],
    [4, 10],
  ]);
  send(first!.header, first!.payload, () => send(third!.header, third!.payload, null));
  send(second!.header, second!.payload, null);
  await passAll(stream);
  assert.equal(stream.received, third!.end);
  assert.equal(stream.unlike, 0);
});

/** Sends 1 MiB in frames, lets one write pass, and gives what happened until `stop` has been called and long after. */
async function interrupt(stop: (stream: SlowStream) => void): Promise<{
  readonly stream: SlowStream;
  readonly send: SendFrame;
  /** Numbers of the frames that were told as sent. */
  readonly told: number[];
}> {
  const stream = new SlowStream();
  const send = createFrameSender(stream);
  const told: number[] = [];
  const made = createFrames(Array.from({ length: 64 }, () => [16, MOST_BYTES / 4 - 16] as const));
  for (const [index, { header, payload }] of made.entries()) {
    send(header, payload, () => told.push(index));
  }
  await settle();
  stream.pass();
  await settle();
  stop(stream);
  await passAll(stream);
  return { stream, send, told };
}

test("a stream that is destroyed gets nothing more, and no frame that had not gone is told as sent", async () => {
  const { stream, send, told } = await interrupt((each) => each.destroy());
  assert.equal(stream.received, 2 * MOST_BYTES);
  send(Uint8Array.of(1), Uint8Array.of(2), () => told.push(-1));
  await passAll(stream);
  assert.equal(stream.received, 2 * MOST_BYTES);
  // What it held already went all the same.
  assert.deepEqual(told, [0, 1, 2, 3, 4, 5, 6, 7]);
});

test("a stream that breaks gets nothing more, and no frame that had not gone is told as sent", async () => {
  const { stream, send, told } = await interrupt((each) => each.pass(new Error("it broke")));
  assert.equal(stream.destroyed, true);
  send(Uint8Array.of(1), null, () => told.push(-1));
  await passAll(stream);
  assert.equal(stream.received, 2 * MOST_BYTES);
  assert.deepEqual(told, [0, 1, 2, 3]);
});

test("a stream that was ended gets nothing more, and still finishes", async () => {
  const { stream, send, told } = await interrupt((each) => each.end());
  assert.equal(stream.writableFinished, true);
  // As a write after the end would be told.
  assert.equal(stream.errored, null);
  send(Uint8Array.of(1), null, () => told.push(-1));
  await passAll(stream);
  assert.equal(stream.received, 2 * MOST_BYTES);
  assert.deepEqual(told, [0, 1, 2, 3, 4, 5, 6, 7]);
});
