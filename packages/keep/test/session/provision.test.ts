/** Which part of a provision the Keep acts on when: over a bare session, with an engine room that only takes notes. */
import assert from "node:assert/strict";
import { type Duplex, duplexPair } from "node:stream";
import { test } from "node:test";
import { openSession, type Provision } from "@donjon/client/session";
import { CHANNEL, encodeFrameHeader, FRAME_KIND } from "@donjon/protocol/session/frame";
import { encodeMessage, SESSION_PROTOCOL } from "@donjon/protocol/session/message";
import { encodeHelloGuest, withCustomSection } from "@donjon/testkit/contract/guests";
import { createProvision, sha256Hex } from "@donjon/testkit/contract/keep-fixture";
import { packTree } from "@donjon/wasi/files/pack";
import { openBareChannel } from "../../src/session/channel.ts";
import { Keep, type KeepParts } from "../../src/session/keep.ts";
import { serveSession } from "../../src/session/server.ts";

/** Large enough to be compiled ahead. */
const MODULE_BYTES = 1 << 20;

function createLargeModule(): Uint8Array {
  return withCustomSection(encodeHelloGuest("hello"), new Uint8Array(MODULE_BYTES));
}

function createKeep() {
  const prepared = Promise.withResolvers<Uint8Array>();
  const ended = Promise.withResolvers<void>();
  const notes: string[] = [];
  const keep = new Keep({
    room: {
      prepare(module) {
        notes.push("prepare");
        prepared.resolve(module);
      },
      run() {
        notes.push("run");
        throw new Error("far enough");
      },
      close: async () => {},
    },
    connections: { prepare: async () => {}, refuseNew() {} } as unknown as KeepParts["connections"],
    prover: {} as KeepParts["prover"],
    clock: { floorNs: 0n, now: () => 0, learn() {} },
    end: ended.resolve,
  });
  const call = (): Duplex => {
    const [inside, outside] = duplexPair();
    serveSession(openBareChannel(inside), keep);
    return outside;
  };
  return { keep, call, notes, prepared: prepared.promise, ended: ended.promise };
}

function writeFrame(stream: Duplex, kind: 0 | 1, channel: 0 | 4, payload: Uint8Array): void {
  stream.write(encodeFrameHeader(kind, channel, payload.length));
  stream.write(payload);
}

/** Says that a module of `size` and a tree will come, and sends `module`. */
function sendModule(stream: Duplex, module: Uint8Array, size = module.length): void {
  const trees = [{ guest: "/data", size: 4096 }];
  const sizes = { manifest: 64, workload: size, secrets: [], trees };
  const provision = {
    type: "provision",
    ...sizes,
    terminals: [],
    detached: false,
    time: 0,
  } as const;
  const hello = { type: "hello", protocol: SESSION_PROTOCOL } as const;
  for (const message of [hello, provision]) {
    writeFrame(stream, FRAME_KIND.message, CHANNEL.control, encodeMessage(message));
  }
  for (let at = 0; at < module.length; at += 1 << 18) {
    writeFrame(stream, FRAME_KIND.data, CHANNEL.upload, module.subarray(at, at + (1 << 18)));
  }
}

test("a large module is compiled before tree and manifest come; cut off there, nothing runs and the Keep ends", async () => {
  const { keep, call, notes, prepared, ended } = createKeep();
  const module = createLargeModule();
  const stream = call();
  sendModule(stream, module);
  assert.deepEqual(await prepared, module);
  assert.equal(keep.state, "new");
  stream.end();
  await ended;
  assert.deepEqual(notes, ["prepare"]);
  assert.equal(keep.state, "exited");
});

test("a module cut off in its middle is not even compiled", async () => {
  const { keep, call, notes, ended } = createKeep();
  const stream = call();
  sendModule(stream, createLargeModule().subarray(0, MODULE_BYTES), MODULE_BYTES + 1);
  stream.end();
  stream.resume();
  await ended;
  assert.deepEqual(notes, []);
  assert.equal(keep.state, "exited");
});

test("a module that was compiled, and is not the one that the manifest names, never runs", async () => {
  const { call, notes } = createKeep();
  const wrong = createProvision(encodeHelloGuest("another")).manifest;
  const provision = { ...createProvision(createLargeModule()), manifest: wrong };
  const run = openSession(call()).provision(provision);
  await assert.rejects(run.result, { code: "manifest/digest", message: /^the workload has/ });
  await assert.rejects(run.provisioned);
  assert.deepEqual(notes, ["prepare"]);
});

test("a tree that is not the one that the manifest names, or that it does not name, is refused", async () => {
  const workload = encodeHelloGuest("hello");
  const tree = packTree([], { times: false, changes: false }, () => []);
  const other = sha256Hex(Buffer.from("other"));
  const mount = (sha256: string) =>
    `[[mounts]]\nguest = "/data"\nkind = "packed"\nsha256 = "${sha256}"\n`;
  const trees = [{ guest: "/data", bytes: tree }];
  const refused: readonly (readonly [Provision, string])[] = [
    [{ ...createProvision(workload, mount(other)), trees }, "manifest/digest"],
    [{ ...createProvision(workload), trees }, "manifest/value"],
    [createProvision(workload, mount(sha256Hex(tree))), "manifest/value"],
    [
      { ...createProvision(workload, mount(sha256Hex(tree))), trees: [...trees, ...trees] },
      "manifest/value",
    ],
  ];
  for (const [provision, code] of refused) {
    const { call, notes } = createKeep();
    await assert.rejects(openSession(call()).provision(provision).result, { code });
    assert.deepEqual(notes, []);
  }
});

test("a small module comes with the order to run it", async () => {
  const { call, notes } = createKeep();
  const run = openSession(call()).provision(createProvision(encodeHelloGuest("hello")));
  await assert.rejects(run.result, { message: /far enough/ });
  assert.deepEqual(notes, ["run"]);
});
