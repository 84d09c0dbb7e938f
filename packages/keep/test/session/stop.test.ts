import assert from "node:assert/strict";
import { type Duplex, duplexPair } from "node:stream";
import { test } from "node:test";
import { openSession } from "@donjon/client/session";
import { encodeFrameHeader, FRAME_KIND } from "@donjon/protocol/session/frame";
import { encodeMessage, SESSION_PROTOCOL } from "@donjon/protocol/session/message";
import type { StopHow } from "@donjon/protocol/session/outcome";
import { encodeHelloGuest } from "@donjon/testkit/contract/guests";
import { createProvision } from "@donjon/testkit/contract/keep-fixture";
import type { Workload, WorkloadResult } from "../../src/runtime/workload.ts";
import { openBareChannel } from "../../src/session/channel.ts";
import { Keep, type KeepParts } from "../../src/session/keep.ts";
import { serveSession } from "../../src/session/server.ts";

/** A Keep whose workload starts when it is told to, and ends when it is stopped. */
function createKeep() {
  const prepared = Promise.withResolvers<void>();
  const result = Promise.withResolvers<WorkloadResult>();
  const source = { read: () => null, consume() {}, onReadable: null };
  const stopped: StopHow[] = [];
  const workload: Workload = {
    stdin: { write: (bytes) => bytes.length, end() {}, onWritable: null },
    stdout: { ...source },
    stderr: { ...source },
    accept: () => false,
    stop(how) {
      stopped.push(how);
      const usage = { peakMemory: 0, wallMs: 0, cpuMs: 0 };
      result.resolve({ outcome: { kind: "stopped", how }, usage, changes: [] });
    },
    result: result.promise,
    phases: new Map(),
    onRunning: null,
  };
  const connections = { prepare: () => prepared.promise, open() {}, refuseNew() {} };
  const keep = new Keep({
    room: { prepare() {}, run: () => workload, close: async () => {} },
    connections: connections as unknown as KeepParts["connections"],
    prover: {} as KeepParts["prover"],
    clock: { floorNs: 0n, now: () => 0, learn() {} },
    end() {},
  });
  const call = (): Duplex => {
    const [inside, outside] = duplexPair();
    serveSession(openBareChannel(inside), keep);
    return outside;
  };
  return { call, stopped, start: prepared.resolve };
}

test("a workload that its owner stops from another session before it runs is stopped once it does", async () => {
  const { call, stopped, start } = createKeep();
  const run = openSession(call()).provision({
    ...createProvision(encodeHelloGuest("hello")),
    detached: true,
  });
  await run.provisioned;
  const other = call();
  for (const message of [
    { type: "hello", protocol: SESSION_PROTOCOL },
    { type: "stop", how: "kill" },
  ] as const) {
    const bytes = encodeMessage(message);
    other.write(encodeFrameHeader(FRAME_KIND.message, 0, bytes.length));
    other.write(bytes);
  }
  // The Keep's own greeting: it has read what came with it.
  await new Promise((resolve) => other.once("data", resolve));
  await new Promise(setImmediate);
  assert.deepEqual(stopped, []);
  start();
  await run.started;
  assert.deepEqual(stopped, ["kill"]);
});
