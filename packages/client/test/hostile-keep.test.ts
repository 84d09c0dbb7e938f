import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { type Duplex, duplexPair } from "node:stream";
import { test } from "node:test";
import { DonjonError } from "@donjon/core/errors";
import { INITIAL_CREDIT, MAX_FRAME_BYTES } from "@donjon/protocol/limits";
import { encodeFrameHeader, FRAME_KIND } from "@donjon/protocol/session/frame";
import { SESSION_PROTOCOL } from "@donjon/protocol/session/message";
import { openSession, type Run } from "../src/session.ts";

const message = (value: unknown): Buffer => {
  const json = Buffer.from(JSON.stringify(value));
  return Buffer.concat([encodeFrameHeader(FRAME_KIND.message, 0, json.length), json]);
};
const HELLO = message({ type: "hello", protocol: SESSION_PROTOCOL, engine: "node" });
const DIGEST = "0".repeat(64);
const PROVISIONED = message({ type: "provisioned", manifest: DIGEST, workload: DIGEST });
const STARTED = message({ type: "started", phases: {} });
const EXIT = message({
  type: "exit",
  outcome: { kind: "exit", code: 0 },
  usage: { peakMemory: 1, wallMs: 1, cpuMs: 1 },
});

/** A session whose Keep says exactly these bytes and then ends. */
function runAgainst(...answers: readonly Uint8Array[]): { run: Run; keep: Duplex } {
  const [keep, stream] = duplexPair();
  const session = openSession(stream);
  session.hello.catch(() => {});
  const run = session.provision({
    manifest: Buffer.from(""),
    workload: Buffer.from(""),
    secrets: new Map(),
    trees: [],
  });
  run.stdout.resume();
  run.stderr.resume();
  keep.resume();
  for (const bytes of answers) keep.write(bytes);
  keep.end();
  return { run, keep };
}

test("a well-behaved Keep's exit is the run's result", async () => {
  const { run } = runAgainst(HELLO, PROVISIONED, STARTED, EXIT);
  assert.deepEqual((await run.result).outcome, { kind: "exit", code: 0 });
});

const OFFENCES: readonly (readonly [string, readonly Uint8Array[], string])[] = [
  ["nothing at all", [], "session/closed"],
  ["half a frame", [HELLO.subarray(0, 11)], "session/protocol"],
  ["no exit", [HELLO, PROVISIONED, STARTED], "session/closed"],
  ["an exit before it started", [HELLO, EXIT], "session/protocol"],
  [
    "another protocol number",
    [message({ type: "hello", protocol: SESSION_PROTOCOL - 1, engine: "" })],
    "session/protocol",
  ],
  ["an unknown message", [message({ type: "run" })], "session/protocol"],
  [
    "an exit code that is text",
    [
      HELLO,
      PROVISIONED,
      STARTED,
      message({
        type: "exit",
        outcome: { kind: "exit", code: "0" },
        usage: { peakMemory: 1, wallMs: 1, cpuMs: 1 },
      }),
    ],
    "session/protocol",
  ],
  [
    "an oversize frame",
    [encodeFrameHeader(FRAME_KIND.data, 2, MAX_FRAME_BYTES + 1)],
    "session/limit",
  ],
  ["data on stdin", [encodeFrameHeader(FRAME_KIND.data, 1, 1)], "session/protocol"],
  [
    "trees that never come",
    [
      HELLO,
      PROVISIONED,
      STARTED,
      message({ type: "trees", trees: [{ guest: "/d", size: 4 }] }),
      EXIT,
    ],
    "session/protocol",
  ],
  [
    "more of the trees than it said",
    [
      HELLO,
      PROVISIONED,
      STARTED,
      message({ type: "trees", trees: [{ guest: "/d", size: 1 }] }),
      encodeFrameHeader(FRAME_KIND.data, 5, 2),
      Buffer.alloc(2),
    ],
    "session/protocol",
  ],
];

for (const [what, answers, code] of OFFENCES) {
  test(`a run fails with ${code} when the Keep sends ${what}`, async () => {
    const { run } = runAgainst(...answers);
    await assert.rejects(run.result, { name: "DonjonError", code });
    await assert.rejects(
      run.started.then(() => run.result),
      { code },
    );
  });
}

test("a run fails when the Keep sends more output than it was allowed", async () => {
  const { run } = (() => {
    const [keep, stream] = duplexPair();
    const opened = openSession(stream).provision({
      manifest: Buffer.from(""),
      workload: Buffer.from(""),
      secrets: new Map(),
      trees: [],
    });
    keep.resume();
    for (let sent = 0; sent <= INITIAL_CREDIT; sent += MAX_FRAME_BYTES) {
      keep.write(encodeFrameHeader(FRAME_KIND.data, 2, MAX_FRAME_BYTES));
      keep.write(Buffer.alloc(MAX_FRAME_BYTES));
    }
    return { run: opened };
  })();
  await assert.rejects(run.result, { code: "session/limit" });
});

const OUTPUT = Buffer.concat([encodeFrameHeader(FRAME_KIND.data, 2, 1), Buffer.from("x")]);

test("output of a detached run, which has none, fails it", async () => {
  const [keep, stream] = duplexPair();
  const run = openSession(stream).provision({
    manifest: Buffer.from(""),
    workload: Buffer.from(""),
    secrets: new Map(),
    trees: [],
    detached: true,
  });
  keep.resume();
  for (const bytes of [HELLO, PROVISIONED, OUTPUT]) keep.write(bytes);
  await assert.rejects(run.result, { code: "session/protocol", message: /where none may come/ });
});

test("output after the exit changes nothing, and ends nobody's process", async () => {
  const { run, keep } = runAgainst(HELLO, PROVISIONED, STARTED, Buffer.concat([EXIT, OUTPUT]));
  const closed = new Promise((resolve) => keep.once("close", resolve));
  assert.deepEqual((await run.result).outcome, { kind: "exit", code: 0 });
  await closed;
});

test("a run settles with a DonjonError whatever bytes the Keep sends", async () => {
  for (let round = 0; round < 100; round++) {
    const { run } = runAgainst(HELLO, randomBytes(round * 7));
    await assert.rejects(run.result, (error) => error instanceof DonjonError);
  }
});

test("a failure of the Keep arrives with its code, sentence and details", async () => {
  const { run } = runAgainst(
    HELLO,
    message({
      type: "failure",
      code: "workload/limit",
      message: "too much",
      details: { found: 2 },
    }),
  );
  await assert.rejects(run.result, {
    code: "workload/limit",
    message: "too much",
    details: { found: 2 },
  });
});

test("a Keep that is silent before it is provisioned, or after, fails the run in time", async () => {
  for (const answers of [[HELLO], [HELLO, PROVISIONED]]) {
    const [keep, stream] = duplexPair();
    const run = openSession(stream, { stallMs: 50 }).provision({
      manifest: Buffer.from(""),
      workload: Buffer.from(""),
      secrets: new Map(),
      trees: [],
      detached: true,
    });
    keep.resume();
    for (const bytes of answers) keep.write(bytes);
    await assert.rejects(run.started, { code: "session/timeout", message: /50 ms/ });
    await assert.rejects(run.result, { code: "session/timeout" });
  }
});

test("a run that has started may be silent", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const [keep, stream] = duplexPair();
  const run = openSession(stream, { stallMs: 50 }).provision({
    manifest: Buffer.from(""),
    workload: Buffer.from(""),
    secrets: new Map(),
    trees: [],
  });
  run.stdout.resume();
  run.stderr.resume();
  keep.resume();
  for (const bytes of [HELLO, PROVISIONED, STARTED]) keep.write(bytes);
  await run.started;
  t.mock.timers.tick(1000);
  keep.end(EXIT);
  assert.deepEqual((await run.result).outcome, { kind: "exit", code: 0 });
});
