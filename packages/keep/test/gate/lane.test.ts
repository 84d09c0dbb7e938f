/** The Keep's answers to hosts that ask for the lane. */
import assert from "node:assert/strict";
import { Duplex, duplexPair } from "node:stream";
import { test } from "node:test";
import { BARE_SESSION_TARGET, encodeLaneTarget, SESSION_TARGET } from "@donjon/protocol/gate/gate";
import { MUX_REFUSAL } from "@donjon/protocol/gate/mux";
import { type GatePipe, openGatePipe } from "@donjon/protocol/gate/pipe";
import { type SessionCall, serveGate } from "../../src/gate/server.ts";

type OnSession = (call: SessionCall, bare: boolean) => void;

function serve(openLane: (() => Duplex) | null, onSession: OnSession): GatePipe<Duplex> {
  const [inside, outside] = duplexPair();
  serveGate(inside, {
    openLane,
    onSession,
    state: () => "new",
    onImage: () => Promise.reject(new Error("there is no image")),
    onConnection: (_name, _accept, refuse) => refuse(MUX_REFUSAL.unknown, "nothing listens"),
    onClosed: () => {},
  });
  return openGatePipe(outside, { role: "caller", Duplex });
}

/** "accepted", or the sentence of the refusal. */
function ask(pipe: GatePipe<Duplex>, target: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const call = pipe.open(target, { onAccept: () => resolve("accepted") });
  call.on("error", (error) => resolve(error.message));
  call.resume().end();
  return promise;
}

const never: OnSession = () => assert.fail("a session was opened");

test("a Keep without a lane refuses calls for it, and other calls go on", async () => {
  const pipe = serve(null, never);
  assert.match(await ask(pipe, encodeLaneTarget(SESSION_TARGET)), /has no lane/);
  assert.equal(await ask(pipe, "health"), "accepted");
});

test("the lane is the stream of the session that asks for it first, and of no other", async () => {
  const [lane, host] = duplexPair();
  const accepted: boolean[] = [];
  let opened = 0;
  const open = () => {
    opened += 1;
    return lane;
  };
  const pipe = serve(open, (call, bare) => {
    accepted.push(bare);
    call.accept().end("from the Keep");
  });
  assert.equal(await ask(pipe, encodeLaneTarget(BARE_SESSION_TARGET)), "accepted");
  assert.equal(await ask(pipe, SESSION_TARGET), "accepted");
  assert.match(await ask(pipe, encodeLaneTarget(SESSION_TARGET)), /was used already/);
  assert.deepEqual([accepted, opened], [[true, false], 1]);
  let text = "";
  for await (const piece of host) text += piece;
  assert.equal(text, "from the Keep");
});

test("the lane of a session that is refused is never opened", async () => {
  const open = () => assert.fail("the lane was opened");
  const pipe = serve(open, (call) => call.refuse(MUX_REFUSAL.busy, "too many sessions"));
  assert.match(await ask(pipe, encodeLaneTarget(SESSION_TARGET)), /too many sessions/);
});
