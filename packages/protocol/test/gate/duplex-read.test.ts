import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { test } from "node:test";
import { carryTls, createGateDuplex } from "../../src/gate/duplex.ts";
import { Mux } from "../../src/gate/mux.ts";
import { encodeMuxFrame, encodeU32, MUX_KIND } from "../../src/gate/mux-frame.ts";
import { openGatePipe } from "../../src/gate/pipe.ts";
import { HeldPipe, isReleased, PREFACE, turn } from "./held-pipe.ts";

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
  encodeMuxFrame(MUX_KIND.data, id, new Uint8Array(length).fill(value));

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
