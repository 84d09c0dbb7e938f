import assert from "node:assert/strict";
import { test } from "node:test";
import { INITIAL_CREDIT } from "@donjon/protocol/limits";
import { ChannelReadable } from "../src/streams.ts";

/** A stream of output whose grants are added up. */
function openOutput() {
  let granted = 0;
  const stream = new ChannelReadable((bytes) => {
    granted += bytes;
  });
  return { stream, granted: () => granted };
}

const PIECE = new Uint8Array(64 << 10);

test("output that nobody reads gives no credit back once the stream is full", () => {
  const { stream, granted } = openOutput();
  for (let sent = 0; sent < 2 * INITIAL_CREDIT; sent += PIECE.length) stream.deliver(PIECE);
  assert.ok(granted() < INITIAL_CREDIT / 2, `${granted()} octets are granted`);
});

test("output for a stream that was destroyed gives all of its credit back, so that the workload is not stopped by it", () => {
  const { stream, granted } = openOutput();
  let sent = 0;
  for (; sent < INITIAL_CREDIT; sent += PIECE.length) stream.deliver(PIECE);
  stream.destroy();
  assert.equal(granted(), sent);
  for (; sent < 4 * INITIAL_CREDIT; sent += PIECE.length) stream.deliver(PIECE);
  assert.equal(granted(), sent);
});
