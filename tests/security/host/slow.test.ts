/** Hosts that hold back: every stage in which one side waits for the other has its limit. Timers are short, or mocked. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { Duplex, duplexPair } from "node:stream";
import { type TestContext, test } from "node:test";
import { openSession } from "@donjon/client/session";
import { createSimulatedAttester } from "@donjon/keep/attest/simulated";
import { createGateCaller } from "@donjon/keep/gate/caller";
import { createTlsAcceptor, createTlsContext } from "@donjon/keep/gate/tls";
import { createIdentity } from "@donjon/keep/identity/identity";
import { openBareChannel } from "@donjon/keep/session/channel";
import type { Keep } from "@donjon/keep/session/keep";
import { serveSession } from "@donjon/keep/session/server";
import { encodeU32 } from "@donjon/protocol/gate/mux-frame";
import { openGatePipe } from "@donjon/protocol/gate/pipe";
import {
  EVIDENCE_MS,
  GREETING_MS,
  INITIAL_CREDIT,
  MAX_HANDSHAKES,
  TLS_HANDSHAKE_MS,
} from "@donjon/protocol/limits";
import { CHANNEL, encodeFrameHeader, FRAME_KIND } from "@donjon/protocol/session/frame";
import { encodeCatGuest } from "@donjon/testkit/contract/guests";
import { createProvision } from "@donjon/testkit/contract/keep-fixture";
import { readAll } from "./support/hostile-host.ts";
import { encodeMessage, HELLO } from "./support/man-in-the-middle.ts";

const mockTimers = (t: TestContext) => t.mock.timers.enable({ apis: ["setTimeout"] });
const identity = createIdentity(Date.now());
const context = createTlsContext({ cert: identity.certificatePem, key: identity.keyPem });

test("a host that begins a handshake with the Keep and never ends it is cut off", async (t) => {
  mockTimers(t);
  const [keep, client] = duplexPair();
  const closed = new Promise((resolve) => keep.once("close", resolve));
  createTlsAcceptor()(keep, context, () => assert.fail("nobody shook hands"));
  client.write(Buffer.of(0x16, 3, 1, 0, 200, 1));
  t.mock.timers.tick(TLS_HANDSHAKE_MS - 1);
  assert.equal(keep.destroyed, false);
  t.mock.timers.tick(1);
  await closed;
});

test("a host that begins more handshakes than a Keep has room for is turned away", () => {
  const accept = createTlsAcceptor();
  const begin = () => {
    const [keep] = duplexPair();
    accept(keep, context, () => {});
    return keep;
  };
  const begun = Array.from({ length: MAX_HANDSHAKES }, begin);
  assert.ok(begun.every((keep) => !keep.destroyed));
  assert.equal(begin().destroyed, true);
  for (const keep of begun) keep.destroy();
});

test("a host that opens a session and says nothing is told, and cut off", async (t) => {
  mockTimers(t);
  const [keep, client] = duplexPair();
  serveSession(openBareChannel(keep), {} as Keep);
  const said = readAll(client);
  t.mock.timers.tick(GREETING_MS);
  assert.match((await said).toString(), /"session\/timeout".*did not greet/);
});

test("a host that takes the Keep's question for evidence and never answers leaves it with an error", async (t) => {
  mockTimers(t);
  const [keep, host] = duplexPair();
  const { promise: asked, resolve: onAsked } = Promise.withResolvers<void>();
  openGatePipe(host, {
    role: "callee",
    Duplex,
    onCall(call) {
      call.accept().on("error", () => {});
      onAsked();
    },
  });
  const attester = createSimulatedAttester(createGateCaller(() => keep));
  let isOver = false;
  const answer = attester.attest(new Uint8Array(64)).finally(() => {
    isOver = true;
  });
  answer.catch(() => {});
  await asked;
  t.mock.timers.tick(EVIDENCE_MS - 1);
  await new Promise(setImmediate);
  assert.equal(isOver, false);
  t.mock.timers.tick(1);
  await assert.rejects(answer, {
    code: "keep/state",
    message: new RegExp(`did not answer within ${EVIDENCE_MS} ms`),
  });
});

test("a host that takes nothing of a provision leaves its client with an error", async () => {
  const [host, stream] = duplexPair();
  const session = openSession(stream, { stallMs: 50 });
  host.write(encodeMessage(HELLO));
  await session.hello;
  const run = session.provision(createProvision(encodeCatGuest()));
  await assert.rejects(run.result, { code: "session/timeout", message: /may hold it back/ });
  assert.ok(stream.destroyed);
});

test("a host that takes a provision slowly, but takes it, is waited for", async () => {
  const [host, stream] = duplexPair();
  const stallMs = 600;
  const session = openSession(stream, { stallMs });
  host.resume().write(encodeMessage(HELLO));
  await session.hello;
  const provision = createProvision(encodeCatGuest());
  const run = session.provision({ ...provision, workload: Buffer.alloc(INITIAL_CREDIT + 64) });
  const credit = Buffer.concat([
    encodeFrameHeader(FRAME_KIND.credit, CHANNEL.upload, 4),
    encodeU32(1),
  ]);
  const started = performance.now();
  const trickle = setInterval(() => host.write(credit), stallMs / 20);
  run.result.catch(() => {});
  while (performance.now() - started < 2 * stallMs) await once(stream, "data");
  clearInterval(trickle);
  const digest = "00".repeat(32);
  host.write(encodeMessage({ type: "provisioned", manifest: digest, workload: digest }));
  assert.equal((await run.provisioned).workload, digest);
  session.close();
});
