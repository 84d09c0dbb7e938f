import assert from "node:assert/strict";
import { type Duplex, duplexPair } from "node:stream";
import { test } from "node:test";
import { MUX_REFUSAL } from "@donjon/protocol/gate/mux";
import { MAX_SESSIONS } from "@donjon/protocol/limits";
import type { Keep } from "../../src/session/keep.ts";
import { Sessions } from "../../src/session/sessions.ts";

interface Answer {
  accepted: Duplex | null;
  refused: number | null;
}

function call(sessions: Sessions, bare: boolean): Answer {
  const answer: Answer = { accepted: null, refused: null };
  sessions.onCall(
    {
      accept() {
        [answer.accepted] = duplexPair();
        return answer.accepted;
      },
      refuse(refusal) {
        answer.refused = refusal;
      },
    },
    bare,
  );
  return answer;
}

const keep = {} as Keep;

test("a Keep that hardware protects refuses sessions without evidence, and takes the others", async () => {
  let opened = 0;
  const sessions = new Sessions(keep, {
    onlySecured: true,
    openAcceptor: async () => (stream) => {
      opened += 1;
      stream.destroy();
    },
  });
  assert.deepEqual(call(sessions, true), { accepted: null, refused: MUX_REFUSAL.refused });
  assert.notEqual(call(sessions, false).accepted, null);
  await new Promise(setImmediate);
  assert.equal(opened, 1);
});

test("a session that closes makes room for another", async () => {
  const sessions = new Sessions(keep, {
    onlySecured: false,
    openAcceptor: async () => () => {},
  });
  const open = Array.from({ length: MAX_SESSIONS }, () => call(sessions, false));
  assert.equal(call(sessions, false).refused, MUX_REFUSAL.busy);
  const stream = open[0]!.accepted!;
  stream.destroy();
  await new Promise((resolve) => stream.once("close", resolve));
  assert.equal(call(sessions, false).refused, null);
});

test("a Keep to which nobody comes makes itself ready, once", async () => {
  const made = Promise.withResolvers<void>();
  let count = 0;
  const sessions = new Sessions(keep, {
    onlySecured: false,
    openAcceptor: async () => {
      count += 1;
      made.resolve();
      return () => {};
    },
  });
  const alive = setTimeout(() => {}, 10_000);
  await made.promise;
  clearTimeout(alive);
  call(sessions, false);
  assert.equal(count, 1);
});
