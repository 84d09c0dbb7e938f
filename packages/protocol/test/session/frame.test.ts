import assert from "node:assert/strict";
import { test } from "node:test";
import { DonjonError } from "@donjon/core/errors";
import fc from "fast-check";
import { MAX_FRAME_BYTES, MAX_MESSAGE_BYTES } from "../../src/limits.ts";
import {
  CHANNEL,
  type Channel,
  encodeCreditFrame,
  encodeFrameHeader,
  FRAME_KIND,
  FrameDecoder,
} from "../../src/session/frame.ts";

type Event =
  | { kind: "message"; text: string }
  | { kind: "data"; channel: Channel; bytes: string }
  | { kind: "end"; channel: Channel }
  | { kind: "credit"; channel: Channel; bytes: number };

/** Decodes chunks, joining the pieces of each data frame. */
function decode(chunks: readonly Uint8Array[]): Event[] {
  const events: Event[] = [];
  let left = 0;
  const decoder = new FrameDecoder({
    onMessage: (payload) =>
      events.push({ kind: "message", text: Buffer.from(payload).toString("hex") }),
    onDataFrame: (channel, length) => {
      left = length;
      events.push({ kind: "data", channel, bytes: "" });
    },
    onData: (channel, piece) => {
      const last = events.at(-1);
      assert.ok(last?.kind === "data" && last.channel === channel && piece.length <= left);
      left -= piece.length;
      last.bytes += Buffer.from(piece).toString("hex");
    },
    onEnd: (channel) => events.push({ kind: "end", channel }),
    onCredit: (channel, bytes) => events.push({ kind: "credit", channel, bytes }),
  });
  for (const chunk of chunks) decoder.push(chunk);
  decoder.finish();
  return events;
}

const dataChannel = fc.constantFrom<Channel>(1, 2, 3, 4, 5);
const payload = fc.uint8Array({ minLength: 1, maxLength: 64 });
const frame: fc.Arbitrary<{ event: Event; bytes: Uint8Array }> = fc.oneof(
  payload.map((bytes) => ({
    event: { kind: "message" as const, text: Buffer.from(bytes).toString("hex") },
    bytes: Buffer.concat([
      encodeFrameHeader(FRAME_KIND.message, CHANNEL.control, bytes.length),
      bytes,
    ]),
  })),
  fc.tuple(dataChannel, payload).map(([channel, bytes]) => ({
    event: { kind: "data" as const, channel, bytes: Buffer.from(bytes).toString("hex") },
    bytes: Buffer.concat([encodeFrameHeader(FRAME_KIND.data, channel, bytes.length), bytes]),
  })),
  dataChannel.map((channel) => ({
    event: { kind: "end" as const, channel },
    bytes: encodeFrameHeader(FRAME_KIND.end, channel, 0),
  })),
  fc.tuple(dataChannel, fc.integer({ min: 0, max: 2 ** 32 - 1 })).map(([channel, bytes]) => ({
    event: { kind: "credit" as const, channel, bytes },
    bytes: encodeCreditFrame(channel, bytes),
  })),
);

function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const size = sizes.length === 0 ? bytes.length : sizes[i % sizes.length]!;
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

test("a decoder finds the same frames however the bytes are chunked", () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 8 });
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 20 }), sizes, (frames, chunking) => {
      const bytes = Buffer.concat(frames.map((each) => each.bytes));
      assert.deepEqual(
        decode(cut(bytes, chunking)),
        frames.map((each) => each.event),
      );
    }),
  );
});

test("a decoder answers random bytes with frames or a session error, and nothing else", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        decode([bytes]);
      } catch (error) {
        assert.ok(error instanceof DonjonError, String(error));
        assert.match(error.code, /^session\/(protocol|limit)$/);
      }
    }),
    { numRuns: 2000 },
  );
});

const MALFORMED: readonly (readonly [what: string, header: readonly number[], code: string])[] = [
  ["an unknown kind", [4, 1, 0, 0, 0, 0, 0, 1], "session/protocol"],
  ["an unknown channel", [1, 6, 0, 0, 0, 0, 0, 1], "session/protocol"],
  ["a reserved octet", [1, 1, 0, 1, 0, 0, 0, 1], "session/protocol"],
  ["a message beside the control channel", [0, 1, 0, 0, 0, 0, 0, 1], "session/protocol"],
  ["data on the control channel", [1, 0, 0, 0, 0, 0, 0, 1], "session/protocol"],
  ["an end on the control channel", [2, 0, 0, 0, 0, 0, 0, 0], "session/protocol"],
  ["an end with a payload", [2, 1, 0, 0, 0, 0, 0, 1], "session/protocol"],
  ["a credit of 3 octets", [3, 1, 0, 0, 0, 0, 0, 3], "session/protocol"],
  ["an empty data frame", [1, 1, 0, 0, 0, 0, 0, 0], "session/protocol"],
  ["an empty message", [0, 0, 0, 0, 0, 0, 0, 0], "session/protocol"],
  ["a data frame of 4 GiB", [1, 1, 0, 0, 255, 255, 255, 255], "session/limit"],
];

for (const [what, header, code] of MALFORMED) {
  test(`a decoder refuses ${what}`, () => {
    assert.throws(() => decode([Uint8Array.from(header)]), { name: "DonjonError", code });
  });
}

test("a decoder takes the longest frame and refuses one octet more", () => {
  const header = (kind: 0 | 1, channel: Channel, length: number) =>
    encodeFrameHeader(kind, channel, length);
  const longest = decode([header(1, 1, MAX_FRAME_BYTES), new Uint8Array(MAX_FRAME_BYTES)]);
  assert.equal(longest.length, 1);
  assert.throws(() => decode([header(1, 1, MAX_FRAME_BYTES + 1)]), { code: "session/limit" });
  assert.throws(() => decode([header(0, 0, MAX_MESSAGE_BYTES + 1)]), { code: "session/limit" });
});

test("a decoder says so when the stream ends inside a header or a payload", () => {
  const bytes = Buffer.concat([encodeFrameHeader(FRAME_KIND.data, 1, 4), Buffer.alloc(4)]);
  for (let length = 1; length < bytes.length; length++) {
    assert.throws(() => decode([bytes.subarray(0, length)]), { code: "session/protocol" });
  }
});
