/** What a host between client and Keep, or instead of the Keep, can try. Nothing but `hello` and a nonce may reach it. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { duplexPair } from "node:stream";
import { test } from "node:test";
import { createIdentity } from "@donjon/keep/identity/identity";
import { openAttestedSession } from "../../src/attested/open.ts";
import { createSimulatedVerifier, createVerifier } from "../../src/attested/verifier.ts";
import {
  type FakeKeep,
  identity,
  openAgainst,
  processor,
  prove,
  serveFakeKeep,
  verify,
} from "./fake-keep.ts";

test("an honest Keep is accepted, and its statement names nothing yet", async () => {
  const { opened, witness } = openAgainst({});
  const session = await opened;
  const { manifest, workload, owner, appraisal } = session.statement;
  assert.deepEqual({ manifest, workload, owner }, { manifest: null, workload: null, owner: null });
  assert.equal(appraisal.verdict, "accepted");
  assert.equal(appraisal.anchor.origin, "caller");
  assert.deepEqual(witness.messages, ["hello", "attest"]);
  session.close();
});

test("the phases told are those of opening, each once, whatever is asked later", async () => {
  const [client, server] = duplexPair();
  serveFakeKeep(server, {});
  const phases: string[] = [];
  const onPhase = (phase: string) => void phases.push(phase);
  const session = await openAttestedSession(client, { identity, verify, expect: "new", onPhase });
  await session.attest();
  assert.deepEqual(phases, ["tls", "evidence", "verify"]);
  session.close();
});

const digest = () => randomBytes(32);

const ATTACKS: readonly (readonly [string, FakeKeep, string])[] = [
  [
    "replays evidence that answered another nonce",
    { answer: ({ binding }) => prove({ ...binding, nonce: digest() }) },
    "session/binding",
  ],
  [
    "relays evidence of another session",
    { answer: ({ binding }) => prove({ ...binding, exporter: digest() }) },
    "session/binding",
  ],
  [
    "swaps the certificate, so that the evidence speaks for another key",
    { answer: ({ binding }) => prove({ ...binding, key: digest() }) },
    "session/binding",
  ],
  [
    "sends the evidence of a certificate",
    { answer: ({ binding }) => prove({ ...binding, nonce: null, exporter: null }) },
    "session/binding",
  ],
  [
    "provisioned the Keep before",
    {
      answer: ({ binding }) =>
        prove({ ...binding, manifest: digest(), workload: digest(), owner: digest() }),
    },
    "session/claimed",
  ],
  [
    "claimed the Keep before",
    { answer: ({ binding }) => prove({ ...binding, owner: digest() }) },
    "session/claimed",
  ],
  [
    "runs another image",
    { answer: ({ binding }) => prove(binding, randomBytes(32)) },
    "policy/measurement",
  ],
  [
    "puts a binding of this session beside evidence over another",
    {
      answer: async ({ binding }) => {
        const mine = await prove(binding);
        const other = await prove({ ...binding, nonce: digest() });
        // Bindings are of one length, and stand at the same place.
        return Buffer.concat([mine.subarray(0, 300), other.subarray(300)]);
      },
    },
    "policy/report-data",
  ],
  ["sends no CMW", { answer: async () => randomBytes(500) }, "envelope/malformed"],
  ["sends nothing as evidence", { answer: async () => new Uint8Array(1) }, "envelope/malformed"],
];

for (const [what, fake, reason] of ATTACKS) {
  test(`a session is refused with ${reason} when the host ${what}`, async () => {
    const { opened, witness, client } = openAgainst(fake);
    await assert.rejects(opened, (error: { code: string; reason: string }) => {
      assert.match(error.code, /^evidence\/(refused|malformed)$/);
      assert.equal(error.reason, reason);
      return true;
    });
    assert.deepEqual(witness.messages, ["hello", "attest"]);
    assert.equal(client.destroyed, true);
  });
}

test("a host that stands between with a key of its own is refused, although it passes on honest evidence", async () => {
  const [clientEnd, hostFront] = duplexPair();
  const [hostBack, keepEnd] = duplexPair();
  serveFakeKeep(keepEnd, {});
  // The host ends the client's TLS itself and opens its own to the Keep, whose answers it hands through.
  const behind = openAttestedSession(hostBack, { identity, verify, expect: "any" });
  serveFakeKeep(hostFront, {
    keepIdentity: createIdentity(Date.now()),
    answer: async ({ nonce }) => (await behind).askEvidence(nonce),
  });
  await assert.rejects(openAttestedSession(clientEnd, { identity, verify, expect: "new" }), {
    reason: "session/binding",
  });
});

test("evidence of another machine's simulator is refused by a client that was told of this one", async () => {
  const other = { ...processor.trust, intel: { ...processor.trust.intel } };
  const root = { ...other.intel.root, spki: Buffer.from(randomBytes(91)).toString("base64") };
  const strict = createSimulatedVerifier(
    { ...other, intel: { ...other.intel, root } },
    { policy: { sgx: { mrEnclave: "any" } } },
  );
  const [client, server] = duplexPair();
  serveFakeKeep(server, {});
  await assert.rejects(openAttestedSession(client, { identity, verify: strict, expect: "new" }));
});

test("a simulated root is refused by a client that did not ask for one", async () => {
  const { endorse } = await import("@donjon/attest/simulated-trust");
  const strict = createVerifier({
    policy: { sgx: { mrEnclave: "any" } },
    endorse: ({ evidence, auxiliary }) => endorse(processor.trust, "sgx", evidence, auxiliary),
  });
  const [client, server] = duplexPair();
  const witness = serveFakeKeep(server, {});
  await assert.rejects(openAttestedSession(client, { identity, verify: strict, expect: "new" }), {
    code: "evidence/refused",
  });
  assert.deepEqual(witness.messages, ["hello", "attest"]);
});

test("a policy cannot unpin the report data", async () => {
  const lax = createSimulatedVerifier(processor.trust, {
    policy: { reportData: "any", sgx: { mrEnclave: "any", reportData: "any" } },
  });
  const [client, server] = duplexPair();
  serveFakeKeep(server, {
    answer: async ({ binding }) => {
      const mine = await prove(binding);
      const other = await prove({ ...binding, nonce: digest() });
      return Buffer.concat([mine.subarray(0, 300), other.subarray(300)]);
    },
  });
  await assert.rejects(openAttestedSession(client, { identity, verify: lax, expect: "new" }), {
    reason: "policy/report-data",
  });
});

test("a downgrade of the session protocol is refused", async () => {
  const { opened, witness } = openAgainst({ protocol: 1 });
  await assert.rejects(opened, { code: "session/protocol" });
  assert.ok(!witness.messages.includes("provision"));
});

test("evidence that nobody asked for is refused", async () => {
  const unasked = { type: "evidence", nonce: "0".repeat(64), cmw: "AA" } as const;
  await assert.rejects(openAgainst({ say: [unasked] }).opened, { code: "session/protocol" });
});

test("a host that never answers is given up in time, and the stream is closed", async () => {
  const quiet = openAgainst({ answer: async () => null }, { timeoutMs: 100 });
  await assert.rejects(quiet.opened, { code: "session/timeout" });
  assert.equal(quiet.client.destroyed, true);
  const [client] = duplexPair();
  const options = { identity, verify, expect: "new", timeoutMs: 100 } as const;
  await assert.rejects(openAttestedSession(client, options), { code: "session/timeout" });
  assert.equal(client.destroyed, true);
});

test("bytes that are no TLS, and a stream that ends, fail at once", async () => {
  for (const bytes of [randomBytes(200), Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"), null]) {
    const [client, server] = duplexPair();
    server.resume();
    server.end(bytes ?? undefined);
    const options = { identity, verify, expect: "new" } as const;
    await assert.rejects(openAttestedSession(client, options), { code: "session/closed" });
  }
});

test("re-attestation that fails ends the session", async () => {
  let asked = 0;
  const { opened, client } = openAgainst({
    answer: ({ binding }) => {
      asked += 1;
      return prove(asked === 1 ? binding : { ...binding, exporter: digest() });
    },
  });
  const session = await opened;
  await assert.rejects(session.attest(), { reason: "session/binding" });
  assert.equal(client.destroyed, true);
});
