/** What a session keeps of what it is sent, over the engine's TLS: as it was sent, however that was cut and wherever it stopped. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { Duplex } from "node:stream";
import { test } from "node:test";
import { createClientIdentity } from "@donjon/client/attested/identity";
import { secureStream } from "@donjon/client/attested/tls";
import type { ClientMessage } from "@donjon/protocol/session/client-message";
import {
  CHANNEL,
  type Channel,
  encodeFrameHeader,
  FRAME_KIND,
} from "@donjon/protocol/session/frame";
import { encodeMessage, SESSION_PROTOCOL } from "@donjon/protocol/session/message";
import { createProvision, sha256Hex } from "@donjon/testkit/contract/keep-fixture";
import fc from "fast-check";
import { createSocketPair } from "../../../../tests/support/socket-pair.ts";
import { createIdentity } from "../../src/identity/identity.ts";
import type { Workload, WorkloadSpec } from "../../src/runtime/workload.ts";
import { Keep, type KeepParts } from "../../src/session/keep.ts";
import { createSessionAcceptor } from "../../src/session/secured.ts";
import { serveSession } from "../../src/session/server.ts";

/** Octets that look like nothing else: a shift or a hole shows. */
function createBytes(length: number, seed: number): Buffer {
  let x = seed;
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at++) {
    x = (Math.imul(x, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = x >>> 24;
  }
  return bytes;
}

const MODULE = createBytes(200_000, 1);
const TREE = createBytes(150_001, 2);
const SECRET = createBytes(70_003, 3);
const STDIN = createBytes(1_500_007, 4);
const NONCES = [5, 6, 7].map((seed) => createBytes(32, seed));
const MANIFEST = createProvision(
  MODULE,
  `[[mounts]]\nguest = "/data"\nkind = "packed"\nsha256 = "${sha256Hex(TREE)}"\n` +
    '[[secrets]]\nname = "s"\nfile = "/secrets/s"\n',
).manifest;

/** A whole session, from the greeting to the end of stdin: headers and payloads, one after the other. */
function encodeSession(frameBytes: number): Uint8Array[] {
  const parts: Uint8Array[] = [];
  const frame = (kind: 0 | 1 | 2, channel: Channel, payload: Uint8Array) =>
    parts.push(encodeFrameHeader(kind, channel, payload.length), payload);
  const say = (message: ClientMessage) =>
    frame(FRAME_KIND.message, CHANNEL.control, encodeMessage(message));
  const send = (channel: Channel, bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length; at += frameBytes) {
      frame(FRAME_KIND.data, channel, bytes.subarray(at, at + frameBytes));
    }
  };
  const ask = (nonce: Buffer) => say({ type: "attest", nonce: nonce.toString("hex") });
  say({ type: "hello", protocol: SESSION_PROTOCOL });
  ask(NONCES[0]!);
  say({
    type: "provision",
    manifest: MANIFEST.length,
    workload: MODULE.length,
    secrets: [{ name: "s", size: SECRET.length }],
    trees: [{ guest: "/data", size: TREE.length }],
    terminals: [],
    detached: false,
    time: 0,
  });
  // Before the workload can run.
  send(CHANNEL.stdin, STDIN.subarray(0, 100_000));
  send(CHANNEL.upload, Buffer.concat([MODULE, TREE, MANIFEST, SECRET]));
  ask(NONCES[1]!);
  frame(FRAME_KIND.end, CHANNEL.upload, new Uint8Array(0));
  send(CHANNEL.stdin, STDIN.subarray(100_000));
  ask(NONCES[2]!);
  frame(FRAME_KIND.end, CHANNEL.stdin, new Uint8Array(0));
  return parts;
}

/** A Keep whose workload reads up to `appetite` octets per turn, and notes all that it is given. `end`: the Keep is over. */
function createKeep(appetite: number, end: () => void) {
  const nonces: Uint8Array[] = [];
  const stdin: Buffer[] = [];
  const ended = Promise.withResolvers<void>();
  let spec: WorkloadSpec | null = null;
  let secrets: Uint8Array[] = [];
  let room = appetite;
  const sink: Workload["stdin"] = {
    write(bytes) {
      const count = Math.min(room, bytes.length);
      room -= count;
      if (count > 0) stdin.push(Buffer.copyBytesFrom(bytes, 0, count));
      if (room === 0) {
        setImmediate(() => {
          room = appetite;
          sink.onWritable?.();
        });
      }
      return count;
    },
    end: ended.resolve,
    onWritable: null,
  };
  const quiet = { onReadable: null, read: () => null, consume() {} };
  const keep = new Keep({
    room: {
      prepare() {},
      run(order) {
        spec = order;
        // The Keep wipes its own as soon as they are handed over.
        secrets = order.mounts.flatMap((each) =>
          each.kind === "secrets" ? [...each.files.values()].map((file) => file.slice()) : [],
        );
        return {
          stdin: sink,
          stdout: { ...quiet },
          stderr: { ...quiet },
          accept: () => false,
          stop() {},
          result: new Promise(() => {}),
          phases: new Map(),
          onRunning: null,
        };
      },
      close: async () => {},
    },
    connections: {
      prepare: async () => {},
      open() {},
      refuseNew() {},
    } as unknown as KeepParts["connections"],
    prover: {
      async prove({ nonce }: { nonce: Uint8Array }) {
        nonces.push(nonce);
        return new Uint8Array(10);
      },
    } as unknown as KeepParts["prover"],
    clock: { floorNs: 0n, now: () => 0, learn() {} },
    end,
  });
  const seen = () => ({ nonces, stdin: Buffer.concat(stdin), spec, secrets });
  return { keep, seen, ended: ended.promise };
}

interface Cut {
  /** Octets of each record, over and over, from a place on; long ones before and after. */
  readonly from: number;
  readonly sizes: readonly number[];
}

const SMALL_RECORDS = 300;
const LONG_BYTES = 40_000;

/** Writes each chunk for itself, so that each is a record of its own, or several; resolves when all have left. */
async function writeChunks(stream: Duplex, bytes: Buffer, { from, sizes }: Cut): Promise<void> {
  let small = 0;
  for (let at = 0; at < bytes.length && !stream.destroyed; ) {
    const isSmall = at >= from && small < SMALL_RECORDS;
    const size = isSmall ? sizes[small++ % sizes.length]! : LONG_BYTES;
    const end = Math.min(at + size, at < from ? Math.max(from, at + 1) : bytes.length);
    const left = Promise.withResolvers<unknown>();
    const goesOn = stream.write(bytes.subarray(at, end), left.resolve);
    if (!goesOn || end === bytes.length) await left.promise;
    at = end;
  }
}

const size = fc.oneof(
  fc.constant(1),
  fc.integer({ min: 1, max: 100 }),
  fc.nat(66_000).map((n) => n + 1),
);
const plan = fc.record({
  frameBytes: fc.constantFrom(1000, 16_384, 65_536, 1 << 20),
  // Most of what a session says stands at its beginning.
  cut: fc.record({
    from: fc.oneof(fc.nat(600), fc.nat(2_000_000)),
    sizes: fc.array(size, { minLength: 1, maxLength: 6 }),
  }),
  appetite: fc.oneof(fc.integer({ min: 2_000, max: 300_000 }), fc.constant(1 << 30)),
  ending: fc.oneof(
    { weight: 3, arbitrary: fc.constant(null) },
    fc.record({
      at: fc.double({ min: 0.0001, max: 1, noNaN: true }),
      how: fc.constantFrom("gone", "broken"),
    }),
  ),
});

const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

test("a session over TLS gets what was sent, however it is cut and wherever it ends", {
  timeout: 60_000,
}, async () => {
  const accept = createSessionAcceptor(createIdentity(Date.now()));
  const identity = createClientIdentity(Date.now());
  await fc.assert(
    fc.asyncProperty(plan, async ({ frameBytes, cut, appetite, ending }) => {
      const over = Promise.withResolvers<void>();
      const { keep, seen, ended } = createKeep(appetite, over.resolve);
      const [near, far] = await createSocketPair({ allowHalfOpen: true });
      far.on("error", () => {}).on("close", over.resolve);
      const served = Promise.withResolvers<void>();
      accept(far, (channel) => {
        serveSession(channel, keep);
        served.resolve();
      });
      const { stream } = await secureStream(near, identity);
      const told = Promise.withResolvers<void>();
      stream
        .on("error", () => {})
        .on("end", told.resolve)
        .on("close", told.resolve)
        .resume();
      const parts = encodeSession(frameBytes);
      if (ending?.how === "broken") {
        // A header of nothing in the place of a header, and all that follows.
        parts.splice(2 * Math.floor((ending.at * parts.length) / 2), 0, Buffer.alloc(8, 0xff));
      }
      if (ending?.how === "gone") await served.promise;
      const whole = Buffer.concat(parts);
      const last = ending?.how === "gone" ? Math.ceil(ending.at * whole.length) : whole.length;
      await writeChunks(stream, whole.subarray(0, last), cut);
      if (ending === null) await ended;
      if (ending?.how === "broken") await told.promise;
      stream.destroy();
      await over.promise;
      near.destroy();
      far.destroy();
      const got = seen();
      assert.equal(digest(got.stdin), digest(STDIN.subarray(0, got.stdin.length)));
      assert.deepEqual(got.nonces.map(digest), NONCES.slice(0, got.nonces.length).map(digest));
      if (ending === null) {
        assert.equal(got.stdin.length, STDIN.length);
        assert.equal(got.nonces.length, NONCES.length);
        assert.notEqual(got.spec, null);
      }
      if (got.spec === null) return;
      assert.ok(MODULE.equals(got.spec.module));
      assert.deepEqual(got.secrets.map(digest), [digest(SECRET)]);
      const trees = got.spec.mounts.flatMap((each) => (each.kind === "packed" ? [each.bytes] : []));
      assert.deepEqual(trees.map(digest), [digest(TREE)]);
    }),
    { numRuns: 40 },
  );
});
