import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { test } from "node:test";
import { carryTls } from "../../src/gate/duplex.ts";
import { encodeMuxFrame, encodeU32, MUX_KIND } from "../../src/gate/mux-frame.ts";
import { openGatePipe } from "../../src/gate/pipe.ts";
import { GATE_STREAM_WINDOW } from "../../src/limits.ts";
import { HeldPipe, isReleased, PREFACE, turn } from "./held-pipe.ts";

/** Octets that may be ahead of the pipe. */
const AHEAD_BYTES = 256 << 10;

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
