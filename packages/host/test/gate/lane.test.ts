/** The lane, seen from the host: with a test at the Keep's ends of all pipes. */
import assert from "node:assert/strict";
import { Duplex, duplexPair } from "node:stream";
import { test } from "node:test";
import { MUX_REFUSAL } from "@donjon/protocol/gate/mux";
import { type GateCall, openGatePipe } from "@donjon/protocol/gate/pipe";
import { until } from "../../../../tests/support/processes.ts";
import { openGate } from "../../src/gate/gate.ts";
import { throttleKeep } from "../../src/warden/throttle.ts";
import { createFakeKeep } from "./fake-keep.ts";

function createKeepWithLane(onCall: (call: GateCall<Duplex>) => void) {
  const fake = createFakeKeep();
  const [inside, stream] = duplexPair();
  const released: string[] = [];
  const lane = { stream, release: () => void released.push("released") };
  const targets: string[] = [];
  openGatePipe(fake.in, {
    role: "callee",
    Duplex,
    onCall(call) {
      targets.push(call.target);
      onCall(call);
    },
  });
  return { keep: { ...fake.started, lane }, lane: inside, pipe: fake.in, released, targets };
}

const accept = (call: GateCall<Duplex>) =>
  void call
    .accept()
    .on("error", () => {})
    .resume()
    .end();
const options = { onConsole: () => {} };

/** Leaves the other direction as it is. */
async function readAll(stream: Duplex): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of stream.iterator({ destroyOnReturn: false })) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

test("the first session goes over the lane, and all others in frames", async () => {
  const under = createKeepWithLane(accept);
  const gate = openGate(under.keep, options);
  const first = gate.openSession();
  assert.equal(first, under.keep.lane.stream);
  first.end("from the client");
  assert.equal(await readAll(under.lane), "from the client");
  assert.deepEqual(under.released, ["released"]);
  for (const open of [gate.openBareSession, gate.openSession]) {
    const stream = open().on("error", () => {});
    await readAll(stream);
    stream.end();
  }
  assert.deepEqual(under.targets, ["lane:session", "bare-session", "session"]);
  await gate.close();
  assert.equal(first.destroyed, false, "a session that is open ends by itself");
});

test("a lane that the Keep refuses ends with what the Keep said", async () => {
  const under = createKeepWithLane((call) => call.refuse(MUX_REFUSAL.busy, "not today"));
  const gate = openGate(under.keep, options);
  await assert.rejects(readAll(gate.openSession()), { code: "gate/refused", message: "not today" });
  assert.deepEqual(under.released, []);
});

test("a lane that the Keep has closed is closed when all was read, though the client goes on holding it", async () => {
  let answer: Duplex | null = null;
  const under = createKeepWithLane((call) => {
    answer = call.accept().on("error", () => {});
    answer.resume();
  });
  const gate = openGate(under.keep, options);
  const session = gate.openSession();
  await until("the Keep has accepted", () => answer !== null);
  under.lane.end("the last words");
  answer!.end();
  const closed = new Promise((resolve) => session.on("close", resolve));
  assert.equal(await readAll(session), "the last words");
  await closed;
  await gate.close();
});

test("what a Keep sent on the lane before it went can still be read", async () => {
  const under = createKeepWithLane((call) => {
    call
      .accept()
      .on("error", () => {})
      .resume();
  });
  const gate = openGate(under.keep, options);
  const session = gate.openSession().on("error", () => {});
  await until("the Keep has accepted", () => under.released.length > 0);
  under.lane.end(Buffer.alloc(100_000, "x"));
  under.pipe.destroy();
  assert.equal((await readAll(session)).length, 100_000);
  await until("the lane is closed", () => session.destroyed);
});

test("a lane that nobody took is closed with the gate, and when the Keep goes", async () => {
  for (const end of ["gate", "keep"] as const) {
    const under = createKeepWithLane(accept);
    const gate = openGate(under.keep, options);
    const closed = new Promise((resolve) => under.keep.lane.stream.on("close", resolve));
    if (end === "gate") await gate.close();
    else under.pipe.destroy();
    await closed;
  }
});

test("a call for the lane that is never answered ends the session when the Keep goes", async () => {
  const under = createKeepWithLane(() => {});
  const gate = openGate(under.keep, options);
  const session = readAll(gate.openSession());
  under.pipe.destroy();
  await assert.rejects(session, { code: "gate/closed" });
});

test("a limit of bandwidth holds for the lane", async () => {
  const under = createKeepWithLane(accept);
  const gate = openGate(throttleKeep(under.keep, 100_000), options);
  const session = gate.openSession();
  const started = performance.now();
  under.lane.end(Buffer.alloc(150_000));
  session.end(Buffer.alloc(100_000));
  await Promise.all([readAll(session), readAll(under.lane)]);
  // The bucket holds a second's octets at first.
  assert.ok(performance.now() - started >= 1000, "250,000 octets took less than a second");
});
