import assert from "node:assert/strict";
import { test } from "node:test";
import { DonjonError } from "@donjon/core/errors";
import fc from "fast-check";
import { INITIAL_CREDIT, MAX_CREDIT, MAX_FRAME_BYTES } from "../../src/limits.ts";
import { ChannelWriter } from "../../src/session/channel-writer.ts";
import type { ClientMessage } from "../../src/session/client-message.ts";
import { ClientPeer } from "../../src/session/client-peer.ts";
import {
  CHANNEL,
  encodeCreditFrame,
  encodeFrameHeader,
  FRAME_KIND,
} from "../../src/session/frame.ts";
import type { KeepMessage } from "../../src/session/keep-message.ts";
import { KeepPeer } from "../../src/session/keep-peer.ts";
import type { DataChannel, SessionEvents } from "../../src/session/peer.ts";

interface Seen<Message> {
  readonly messages: Message[];
  readonly received: Map<DataChannel, number>;
  readonly ended: DataChannel[];
  readonly credited: DataChannel[];
  /** What this side wants to send. */
  readonly out: Uint8Array[];
  readonly events: SessionEvents<Message>;
}

function record<Message>(): Seen<Message> {
  const seen: Omit<Seen<Message>, "events"> = {
    messages: [],
    received: new Map(),
    ended: [],
    credited: [],
    out: [],
  };
  return {
    ...seen,
    events: {
      send: (header, payload, sent) => {
        seen.out.push(Uint8Array.from(header));
        if (payload !== null) seen.out.push(Uint8Array.from(payload));
        sent?.();
      },
      onMessage: (message) => seen.messages.push(message),
      onData: (channel, piece) =>
        seen.received.set(channel, (seen.received.get(channel) ?? 0) + piece.length),
      onEnd: (channel) => seen.ended.push(channel),
      onCredit: (channel) => seen.credited.push(channel),
    },
  };
}

function pair() {
  const atClient = record<KeepMessage>();
  const atKeep = record<ClientMessage>();
  const client = new ClientPeer(atClient.events);
  const keep = new KeepPeer(atKeep.events);
  const deliver = () => {
    while (atClient.out.length + atKeep.out.length > 0) {
      for (const bytes of atClient.out.splice(0)) keep.receive(bytes);
      for (const bytes of atKeep.out.splice(0)) client.receive(bytes);
    }
  };
  return { client, keep, atClient, atKeep, deliver };
}

const PROVISION = {
  type: "provision",
  manifest: 1,
  workload: 2,
  secrets: [],
  trees: [],
  terminals: ["stdout"],
  detached: false,
  time: 1,
} as const;

test("messages arrive as they were sent, both ways", () => {
  const { client, keep, atClient, atKeep, deliver } = pair();
  client.sendMessage({ type: "hello", protocol: 1 });
  client.sendMessage(PROVISION);
  keep.sendMessage({ type: "hello", protocol: 1, engine: "node" });
  keep.sendMessage({
    type: "failure",
    code: "internal",
    message: "no",
    details: new Map([["n", 1]]),
  });
  deliver();
  assert.deepEqual(
    atKeep.messages.map(({ type }) => type),
    ["hello", "provision"],
  );
  assert.deepEqual(atKeep.messages[1], PROVISION);
  assert.deepEqual(atClient.messages[1], {
    type: "failure",
    code: "internal",
    message: "no",
    details: new Map([["n", 1]]),
  });
});

test("a writer never sends beyond its credit and sends everything once it has enough", () => {
  const lengths = fc.array(fc.integer({ min: 1, max: 3 * MAX_FRAME_BYTES }), {
    minLength: 1,
    maxLength: 8,
  });
  fc.assert(
    fc.property(lengths, fc.integer({ min: 1 << 16, max: INITIAL_CREDIT }), (writes, grant) => {
      const { client, keep, atKeep, deliver } = pair();
      const writer = new ChannelWriter(client, CHANNEL.stdin);
      for (const length of writes) writer.write(new Uint8Array(length), null);
      writer.end();
      const total = writes.reduce((sum, each) => sum + each, 0);
      let allowed = INITIAL_CREDIT;
      for (;;) {
        deliver();
        const got = atKeep.received.get(CHANNEL.stdin) ?? 0;
        assert.equal(got, Math.min(total, allowed));
        if (got === total) break;
        keep.grant(CHANNEL.stdin, grant);
        deliver();
        writer.flush();
        allowed += grant;
      }
      assert.deepEqual(atKeep.ended, [CHANNEL.stdin]);
    }),
    { numRuns: 20 },
  );
});

test("a peer refuses data beyond the credit it gave", () => {
  const { keep } = pair();
  const whole = Buffer.alloc(MAX_FRAME_BYTES);
  for (let sent = 0; sent < INITIAL_CREDIT; sent += MAX_FRAME_BYTES) {
    keep.receive(encodeFrameHeader(FRAME_KIND.data, CHANNEL.stdin, MAX_FRAME_BYTES));
    keep.receive(whole);
  }
  // The header alone is the offence: the payload must not be waited for.
  assert.throws(() => keep.receive(encodeFrameHeader(FRAME_KIND.data, CHANNEL.stdin, 1)), {
    code: "session/limit",
  });
});

test("a peer refuses what goes the wrong way, after the end, or allows too much", () => {
  const end = encodeFrameHeader(FRAME_KIND.end, CHANNEL.stdin, 0);
  const cases: readonly (readonly [readonly Uint8Array[], string])[] = [
    [[encodeFrameHeader(FRAME_KIND.data, CHANNEL.stdout, 1)], "session/protocol"],
    [[encodeFrameHeader(FRAME_KIND.end, CHANNEL.download, 0)], "session/protocol"],
    [[encodeCreditFrame(CHANNEL.stdin, 1)], "session/protocol"],
    [[encodeCreditFrame(CHANNEL.stdout, 0)], "session/protocol"],
    [[encodeCreditFrame(CHANNEL.stdout, MAX_CREDIT)], "session/limit"],
    [[end, end], "session/protocol"],
    [[end, encodeFrameHeader(FRAME_KIND.data, CHANNEL.stdin, 1)], "session/protocol"],
  ];
  for (const [frames, code] of cases) {
    const { keep } = pair();
    const receiveAll = () => {
      for (const bytes of frames) keep.receive(bytes);
    };
    assert.throws(receiveAll, { code });
  }
});

test("a caller that sends more than it may gets a RangeError and sends nothing", () => {
  const { client, atClient } = pair();
  assert.throws(
    () => client.sendData(CHANNEL.stdin, new Uint8Array(MAX_FRAME_BYTES + 1)),
    RangeError,
  );
  assert.throws(() => client.sendData(CHANNEL.stdout, new Uint8Array(1)), RangeError);
  client.sendEnd(CHANNEL.stdin);
  assert.equal(client.sendable(CHANNEL.stdin), 0);
  assert.throws(() => client.sendData(CHANNEL.stdin, new Uint8Array(1)), RangeError);
  assert.equal(atClient.out.length, 1);
});

function message(json: unknown): Uint8Array {
  const bytes = Buffer.from(typeof json === "string" ? json : JSON.stringify(json));
  return Buffer.concat([
    encodeFrameHeader(FRAME_KIND.message, CHANNEL.control, bytes.length),
    bytes,
  ]);
}

const HELLO = { type: "hello", protocol: 1 };
const BAD_SEQUENCES: readonly (readonly [what: string, messages: readonly unknown[]])[] = [
  ["a provision before hello", [PROVISION]],
  ["a second hello", [HELLO, HELLO]],
  ["a second provision", [HELLO, PROVISION, PROVISION]],
  ["a stop before hello", [{ type: "stop", how: "kill" }]],
  ["evidence asked for without a nonce", [HELLO, { type: "attest", nonce: "00" }]],
  ["a second attach", [HELLO, { type: "attach", input: true }, { type: "attach", input: true }]],
  ["an unknown type", [{ type: "exit" }]],
  ["no type", [{}]],
  ["an array", [[HELLO]]],
  ["text that is not JSON", ["{"]],
  ["an unknown field", [{ ...HELLO, more: 1 }]],
  ["a field named __proto__", ['{"type":"hello","protocol":1,"__proto__":{}}']],
  ["a missing field", [{ type: "hello" }]],
  ["a fraction", [{ type: "hello", protocol: 1.5 }]],
  ["a negative size", [HELLO, { ...PROVISION, workload: -1 }]],
  ["a workload too large", [HELLO, { ...PROVISION, workload: 2 ** 40 }]],
  ["a tree without a size", [HELLO, { ...PROVISION, trees: [{ guest: "/data" }] }]],
  ["too many trees", [HELLO, { ...PROVISION, trees: Array(65).fill({ guest: "/d", size: 0 }) }]],
  [
    "a lone surrogate",
    [
      HELLO,
      '{"type":"provision","manifest":1,"workload":2,"secrets":[{"name":"\\ud800","size":1}],"trees":[],"terminals":[],"detached":false,"time":1}',
    ],
  ],
  ["a terminal that is no stream of the program", [HELLO, { ...PROVISION, terminals: ["tty"] }]],
  ["more terminals than streams", [HELLO, { ...PROVISION, terminals: Array(4).fill("stdin") }]],
  ["an unknown way to stop", [HELLO, PROVISION, { type: "stop", how: "gently" }]],
];

for (const [what, messages] of BAD_SEQUENCES) {
  test(`the Keep's peer refuses ${what}`, () => {
    const { keep } = pair();
    const last = messages.length - 1;
    for (const each of messages.slice(0, last)) keep.receive(message(each));
    assert.throws(() => keep.receive(message(messages[last])), { code: "session/protocol" });
  });
}

test("the client's peer refuses a message after the last one", () => {
  const { client } = pair();
  const failure = { type: "failure", code: "internal", message: "", details: {} };
  client.receive(message(failure));
  assert.throws(() => client.receive(message(failure)), { code: "session/protocol" });
});

test("both peers answer random JSON and random bytes with a session error or take them", () => {
  const hostile = fc.oneof(
    fc.json().map((text) => message(text)),
    fc
      .uint8Array({ minLength: 1, maxLength: 100 })
      .map((bytes) => message(Buffer.from(bytes).toString("latin1"))),
    fc.uint8Array({ maxLength: 100 }),
  );
  fc.assert(
    fc.property(fc.array(hostile, { maxLength: 4 }), (chunks) => {
      for (const peer of [pair().keep, pair().client]) {
        try {
          for (const chunk of chunks) peer.receive(chunk);
        } catch (error) {
          assert.ok(error instanceof DonjonError, String(error));
          assert.match(error.code, /^session\//);
        }
      }
    }),
    { numRuns: 500 },
  );
});
