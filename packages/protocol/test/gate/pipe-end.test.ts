/** The end of a pipe, as its streams see it: what was received whole is read, however slowly. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { Duplex } from "node:stream";
import { test } from "node:test";
import { encodeMuxFrame, MUX_KIND } from "../../src/gate/mux-frame.ts";
import { openGatePipe } from "../../src/gate/pipe.ts";
import { HeldPipe, PREFACE, turn } from "./held-pipe.ts";

const BYTES = Buffer.from("to the very end");

/** A paused stream that was sent `BYTES`, and more frames. */
async function openPaused(...frames: readonly (keyof typeof MUX_KIND)[]) {
  const pipe = new HeldPipe();
  const opened = Promise.withResolvers<Duplex>();
  const errors: Error[] = [];
  const gate = openGatePipe(pipe, {
    role: "callee",
    Duplex,
    onCall: (call) => opened.resolve(call.accept().on("error", (error) => errors.push(error))),
  });
  pipe.push(new Uint8Array(PREFACE));
  pipe.push(encodeMuxFrame(MUX_KIND.open, 1, Buffer.from("one")));
  pipe.push(encodeMuxFrame(MUX_KIND.data, 1, BYTES));
  for (const kind of frames) pipe.push(encodeMuxFrame(MUX_KIND[kind], 1, new Uint8Array(0)));
  const stream = await opened.promise;
  await turn();
  return { pipe, gate, stream, errors };
}

test("a stream that had come to its end is read to it after the pipe has ended", async () => {
  const { pipe, gate, stream, errors } = await openPaused("end");
  pipe.push(null);
  await turn();
  assert.equal(gate.closed, true);
  assert.equal(stream.destroyed, false);
  const read: Buffer[] = [];
  stream.on("data", (piece: Buffer) => read.push(piece));
  await once(stream, "close");
  assert.equal(Buffer.concat(read).toString(), BYTES.toString());
  assert.equal(stream.readableEnded, true);
  assert.deepEqual(errors, []);
});

test("what is written to it then is told as lost", async () => {
  const { pipe, stream } = await openPaused("end");
  pipe.push(null);
  await turn();
  const written = new Promise((resolve) => stream.write("too late", resolve));
  stream.resume();
  assert.equal(((await written) as { code: string }).code, "gate/closed");
  assert.equal(stream.destroyed, true);
});

for (const [name, frames] of [
  ["had not come to its end", []],
  ["was reset after its end", ["end", "reset"]],
] as const) {
  test(`a stream that ${name} is cut when the pipe ends`, async () => {
    const { pipe, stream, errors } = await openPaused(...frames);
    pipe.push(null);
    await turn();
    assert.equal(stream.destroyed, true);
    assert.deepEqual(
      errors.map((error) => (error as Error & { code: string }).code),
      ["gate/closed"],
    );
  });
}

test("a pipe that is closed from here cuts all its streams", async () => {
  const { gate, stream, errors } = await openPaused("end");
  gate.close();
  await turn();
  assert.equal(stream.destroyed, true);
  assert.equal(errors.length, 1);
});
