import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { test } from "node:test";
import { carryTls, createGateDuplex } from "../../src/gate/duplex.ts";
import { Mux } from "../../src/gate/mux.ts";
import { encodeMuxFrame, encodeU32, MUX_KIND } from "../../src/gate/mux-frame.ts";
import { openGatePipe } from "../../src/gate/pipe.ts";
import { GATE_STREAM_WINDOW } from "../../src/limits.ts";

const PREFACE = encodeMuxFrame(MUX_KIND.preface, 0, encodeU32(1));
const DATA = MUX_KIND.data;
/** Octets that may be ahead of the pipe. */
const AHEAD_BYTES = 256 << 10;

/** A pipe that takes all and passes nothing on before it is told to. Its other end is the test. */
class HeldPipe extends Duplex {
  readonly #held: { readonly bytes: Uint8Array; readonly done: (error?: Error) => void }[] = [];
  readonly passed: Uint8Array[] = [];

  constructor() {
    super({ writableHighWaterMark: 1 << 30 });
    this.on("error", () => {});
  }

  override _read(): void {}

  override _write(bytes: Uint8Array, _encoding: string, done: (error?: Error) => void): void {
    this.#held.push({ bytes, done });
  }

  /** Passes on up to `limit` chunks as they are at this moment; 1 GiB of them is all there are. */
  pass(limit = 1 << 30): void {
    for (let count = 0; count < limit; count++) {
      const head = this.#held.shift();
      if (head === undefined) return;
      this.passed.push(Uint8Array.from(head.bytes));
      head.done();
    }
  }

  break(): void {
    this.#held.shift()?.done(new Error("broken pipe"));
  }

  /** What the frames of data carried, of all that was passed on. */
  get data(): Buffer {
    const wire = Buffer.concat(this.passed);
    const pieces: Uint8Array[] = [];
    for (let at = 0; at + 12 <= wire.length; ) {
      const length = wire.readUInt32BE(at + 8);
      if (wire[at] === DATA) pieces.push(wire.subarray(at + 12, at + 12 + length));
      at += 12 + length;
    }
    return Buffer.concat(pieces);
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** One stream over a held pipe. `credit`: octets that it may send besides its first window. */
async function openStream({ tls, credit = 16 << 20 }: { tls: boolean; credit?: number }) {
  const pipe = new HeldPipe();
  const stream = openGatePipe(pipe, { role: "caller", Duplex }).open("session");
  const errors: Error[] = [];
  stream.on("error", (error) => errors.push(error));
  pipe.push(Buffer.concat([PREFACE, encodeMuxFrame(MUX_KIND.accept, 1, new Uint8Array(0))]));
  if (credit > 0) pipe.push(encodeMuxFrame(MUX_KIND.credit, 1, encodeU32(credit)));
  await turn();
  pipe.pass();
  await turn();
  if (tls) carryTls(stream);
  /** Starts a write and says how it went so far. */
  const write = (bytes: Uint8Array) => {
    const state: { done: boolean; error: Error | null } = { done: false, error: null };
    stream.write(bytes, (error) => {
      state.done = true;
      state.error = error ?? null;
    });
    return state;
  };
  return { pipe, stream, errors, write };
}

/** All of its own buffer, as the engine's TLS makes them. */
function createWhole(length: number, value: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length).fill(value);
}

function isReleased(bytes: Uint8Array): boolean {
  return (bytes.buffer as ArrayBuffer).detached;
}

test("a plain stream's write is done when the pipe has passed it on, and its memory stays", async () => {
  const { pipe, write } = await openStream({ tls: false });
  const bytes = createWhole(1000, 1);
  const state = write(bytes);
  await turn();
  assert.equal(state.done, false);
  // The header of its frame alone is not enough.
  pipe.pass(1);
  await turn();
  assert.equal(state.done, false);
  pipe.pass();
  await turn();
  pipe.pass();
  await turn();
  assert.equal(state.done, true);
  assert.equal(isReleased(bytes), false);
  assert.ok(bytes.every((octet) => octet === 1));
});

test("writes that TLS makes are done at once until 256 KiB are ahead of the pipe, and wait then", async () => {
  const { pipe, write } = await openStream({ tls: true });
  const states = [];
  for (let ahead = 0; ahead < AHEAD_BYTES; ahead += 64 << 10) {
    const state = write(createWhole(64 << 10, ahead >> 16));
    await turn();
    assert.equal(state.done, true, `${ahead} octets are ahead`);
    states.push(state);
  }
  const over = write(createWhole(1, 9));
  const after = write(createWhole(1, 10));
  await turn();
  assert.equal(over.done, false);
  assert.equal(after.done, false);
  // The header and the content of the first frame.
  pipe.pass(2);
  await turn();
  assert.equal(over.done, true);
  assert.equal(after.done, true);
  for (let round = 0; round < 20; round++) {
    pipe.pass();
    await turn();
  }
  const wanted = [...Array(4).keys()].map((each) => Buffer.alloc(64 << 10, each));
  assert.ok(pipe.data.equals(Buffer.concat([...wanted, Buffer.from([9, 10])])));
});

for (const tls of [false, true]) {
  test(`a stream that ${tls ? "TLS carries" : "is plain"} finishes when all of it went, not before`, async () => {
    const { pipe, stream, write } = await openStream({ tls });
    let finished = false;
    write(createWhole(100_000, 1));
    write(createWhole(100_000, 2));
    stream.end(() => {
      finished = true;
    });
    for (let chunks = 0; pipe.data.length < 200_000; chunks++) {
      assert.ok(chunks < 100, "it never goes");
      assert.equal(finished, false, `after ${pipe.data.length} octets`);
      pipe.pass(1);
      await turn();
    }
    pipe.pass();
    await turn();
    assert.equal(finished, true);
  });

  test(`every callback of a stream that ${tls ? "TLS carries" : "is plain"} is called when it is destroyed`, async () => {
    const { pipe, stream, write } = await openStream({ tls });
    const states = Array.from({ length: 12 }, () => write(createWhole(1 << 20, 1)));
    const far = write(createWhole(8 << 20, 1));
    await turn();
    assert.equal(far.done, false);
    let ended: Error | null | undefined;
    stream.end((error?: Error | null) => {
      ended = error ?? null;
    });
    stream.destroy();
    await turn();
    // What the pipe has already is the pipe's until it has passed it on.
    pipe.pass();
    await turn();
    for (const [index, state] of [...states, far].entries()) {
      assert.equal(state.done, true, `write ${index}`);
    }
    assert.notEqual(far.error, null);
    assert.ok(ended instanceof Error);
    assert.equal(stream.closed, true);
  });

  test(`a write of a stream that ${tls ? "TLS carries" : "is plain"} and has no credit fails when it is destroyed`, async () => {
    const { pipe, stream, write } = await openStream({ tls, credit: 0 });
    const state = write(createWhole(1 << 20, 1));
    const behind = write(createWhole(1, 1));
    for (let round = 0; round < 5; round++) {
      pipe.pass();
      await turn();
    }
    assert.equal(pipe.data.length, GATE_STREAM_WINDOW);
    assert.equal(state.done, false);
    stream.destroy();
    await turn();
    assert.notEqual(state.error, null);
    assert.notEqual(behind.error, null);
  });

  test(`a stream that ${tls ? "TLS carries" : "is plain"} fails, and does not finish, when the pipe breaks before all went`, async () => {
    const { pipe, stream, errors, write } = await openStream({ tls });
    const bytes = createWhole(400_000, 1);
    const state = write(bytes);
    let finished = false;
    stream.on("finish", () => {
      finished = true;
    });
    stream.end();
    await turn();
    pipe.break();
    for (let round = 0; round < 5; round++) await turn();
    assert.equal(state.done, true);
    assert.notEqual(state.error, null);
    assert.equal(finished, false);
    assert.equal(stream.closed, true);
    assert.deepEqual(
      errors.map((error) => (error as Error & { code: string }).code),
      ["gate/closed"],
    );
    // Nobody knows whether the write that broke has done with it.
    assert.equal(isReleased(bytes), false);
  });
}

test("a stream that TLS carries and both ends have ended does not wait for ever when the pipe breaks", async () => {
  const { pipe, stream, write } = await openStream({ tls: true });
  pipe.push(encodeMuxFrame(MUX_KIND.end, 1, new Uint8Array(0)));
  stream.resume();
  await turn();
  write(createWhole(1000, 1));
  stream.end();
  await turn();
  pipe.break();
  for (let round = 0; round < 5; round++) await turn();
  assert.equal(stream.writableFinished, false);
  assert.equal(stream.closed, true);
});

test("what TLS wrote is given back when the pipe has passed it on, if it is all of its buffer", async () => {
  const { pipe, write } = await openStream({ tls: true });
  const whole = createWhole(5000, 1);
  const slice = createWhole(5000, 2).subarray(0, 4000);
  const shared = new Uint8Array(new SharedArrayBuffer(1000)).fill(3);
  for (const bytes of [whole, slice, shared]) assert.equal(write(bytes).error, null);
  await turn();
  assert.equal(isReleased(whole), false);
  // A header, and then a header and the last octets of the frame.
  pipe.pass(1);
  assert.equal(isReleased(whole), false);
  for (let round = 0; round < 5; round++) {
    pipe.pass();
    await turn();
  }
  assert.equal(isReleased(whole), true);
  assert.equal(isReleased(slice), false);
  assert.ok(slice.every((octet) => octet === 2));
  assert.ok(shared.every((octet) => octet === 3));
  const wanted = [Buffer.alloc(5000, 1), Buffer.alloc(4000, 2), Buffer.alloc(1000, 3)];
  assert.ok(pipe.data.equals(Buffer.concat(wanted)));
});

test("a chunk that leaves in several frames is given back after the last of them", async () => {
  const { pipe, write } = await openStream({ tls: true });
  const large = createWhole(700_000, 7);
  write(large);
  await turn();
  // Headers and contents of the first two frames of 256 KiB.
  for (let chunk = 0; chunk < 4; chunk++) {
    pipe.pass(1);
    await turn();
    assert.equal(isReleased(large), false);
  }
  pipe.pass();
  await turn();
  pipe.pass();
  await turn();
  assert.equal(isReleased(large), true);
  assert.ok(pipe.data.equals(Buffer.alloc(700_000, 7)));
});

test("a stream of something else that is said to carry TLS is left alone", async () => {
  const foreign = new HeldPipe();
  carryTls(foreign);
  carryTls({});
  const bytes = createWhole(1000, 1);
  let done = false;
  foreign.write(bytes, () => {
    done = true;
  });
  await turn();
  assert.equal(done, false);
  foreign.pass();
  await turn();
  assert.equal(done, true);
  assert.equal(isReleased(bytes), false);
});

type Reader = "tls" | "paused" | "plain";

/** Streams of a callee whose pipe gives what `read` is given, as one read. What a reader was given is kept as it was. */
async function openReaders(kinds: readonly Reader[]) {
  const seen = kinds.map((): Buffer[] => []);
  const readers: Duplex[] = [];
  const pipe = new HeldPipe();
  openGatePipe(pipe, {
    role: "callee",
    Duplex,
    onCall(call) {
      const index = readers.length;
      const reader = call.accept();
      readers.push(reader);
      if (kinds[index] !== "plain") carryTls(reader);
      // The engine's TLS copies what it reads; others need not.
      reader.on("data", (chunk: Buffer) =>
        seen[index]!.push(kinds[index] === "plain" ? chunk : Buffer.from(chunk)),
      );
      if (kinds[index] === "paused") reader.pause();
    },
  });
  const read = async (...frames: Uint8Array[]): Promise<Uint8Array> => {
    const whole = new Uint8Array(Buffer.concat(frames));
    assert.equal(whole.length, whole.buffer.byteLength);
    pipe.push(whole);
    await turn();
    return whole;
  };
  await read(
    PREFACE,
    ...kinds.map((kind, at) => encodeMuxFrame(MUX_KIND.open, at + 1, Buffer.from(kind))),
  );
  return { read, readers, seen, pipe };
}

const data = (id: number, length: number, value: number) =>
  encodeMuxFrame(DATA, id, new Uint8Array(length).fill(value));

test("a read that TLS has done with is given back", async () => {
  const { read, seen } = await openReaders(["tls", "tls"]);
  const first = await read(data(1, 40_000, 1), data(2, 40_000, 2));
  const second = await read(data(1, 10, 3));
  assert.deepEqual([first, second].map(isReleased), [true, true]);
  const wanted = Buffer.concat([Buffer.alloc(40_000, 1), Buffer.alloc(10, 3)]);
  assert.ok(Buffer.concat(seen[0]!).equals(wanted));
  assert.ok(Buffer.concat(seen[1]!).equals(Buffer.alloc(40_000, 2)));
});

test("a read that carries no data is given back", async () => {
  const { read, pipe } = await openReaders(["tls"]);
  const credit = await read(encodeMuxFrame(MUX_KIND.credit, 1, encodeU32(1000)));
  assert.equal(isReleased(credit), true);
  assert.equal(pipe.destroyed, false);
});

for (const [kinds, lengths] of [
  [["paused"], [40_000]],
  [["plain"], [40_000]],
  [
    ["tls", "paused"],
    [40_000, 40_000],
  ],
  [
    ["paused", "tls"],
    [40_000, 40_000],
  ],
  [
    ["plain", "tls"],
    [40_000, 1],
  ],
  [
    ["tls", "plain"],
    [40_000, 40_000],
  ],
] as const satisfies readonly (readonly [readonly Reader[], readonly number[]])[]) {
  test(`a read for ${kinds.join(" and ")} is kept, and its content with it`, async () => {
    const { read, readers, seen } = await openReaders(kinds);
    const frames = (value: number) =>
      lengths.map((length, at) => data(at + 1, length, value * 10 + at));
    const whole = await read(...frames(1));
    assert.equal(isReleased(whole), false);
    await read(...frames(2));
    for (const reader of readers) reader.resume();
    await turn();
    for (const [at, length] of lengths.entries()) {
      const wanted = [1, 2].map((value) => Buffer.alloc(length, value * 10 + at));
      assert.ok(Buffer.concat(seen[at]!).equals(Buffer.concat(wanted)), `reader ${at}`);
    }
  });
}

test("a reader of TLS that pauses while it is given a piece is given what came behind it later, unchanged", async () => {
  const { read, readers, seen } = await openReaders(["tls"]);
  const [reader] = readers;
  reader!.once("data", () => reader!.pause());
  const first = await read(data(1, 30_000, 1), data(1, 30_000, 2));
  assert.equal(isReleased(first), false);
  const second = await read(data(1, 30_000, 3));
  assert.equal(isReleased(second), false);
  assert.ok(Buffer.concat(seen[0]!).equals(Buffer.alloc(30_000, 1)));
  reader!.resume();
  await turn();
  const wanted = [1, 2, 3].map((value) => Buffer.alloc(30_000, value));
  assert.ok(Buffer.concat(seen[0]!).equals(Buffer.concat(wanted)));
  const third = await read(data(1, 30_000, 4));
  assert.equal(isReleased(third), true);
});

/** A stream that TLS carries, without a pipe: what is received comes at once. */
function openCarried() {
  const seen: Buffer[] = [];
  let reader: Duplex | undefined;
  const mux = new Mux({
    role: "callee",
    output: () => {},
    onOpen(stream) {
      const { duplex, events } = createGateDuplex(Duplex, () => stream);
      carryTls(duplex);
      stream.events = events;
      if (stream.id === 1) reader = duplex.on("data", (chunk: Buffer) => seen.push(chunk));
    },
  });
  const open = (id: number) => encodeMuxFrame(MUX_KIND.open, id, Buffer.from("x"));
  mux.receive(Buffer.concat([PREFACE, open(1)]));
  return { mux, seen, open, reader: reader! };
}

test("a reader of TLS whose stream has never been read keeps the first piece that it is given", async () => {
  const { mux, seen } = openCarried();
  // It flows already, and has not looked for anything yet: so the engine holds what comes.
  assert.equal(mux.receive(data(1, 1000, 1)), true);
  assert.equal(seen.length, 0);
  await turn();
  assert.ok(Buffer.concat(seen).equals(Buffer.alloc(1000, 1)));
});

for (const [when, before] of [
  ["is paused", 0],
  ["has just gone on, and has not yet been given what came before", 10],
] as const) {
  test(`what waits for a reader of TLS that ${when} does not hold all that came with it`, async () => {
    const { mux, seen, open, reader } = openCarried();
    await turn();
    reader.pause();
    if (before > 0) {
      mux.receive(data(1, before, 1));
      reader.resume();
    }
    mux.receive(Buffer.concat([open(2), data(2, 200_000, 9), data(1, 10, 2)]));
    reader.resume();
    await turn();
    const wanted = Buffer.concat([Buffer.alloc(before, 1), Buffer.alloc(10, 2)]);
    assert.ok(Buffer.concat(seen).equals(wanted));
    for (const { buffer } of seen) assert.ok(buffer.byteLength <= 4096, `${buffer.byteLength}`);
  });
}
