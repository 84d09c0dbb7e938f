/** Who is answered when, by an attester that answers when the test says so. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DonjonError } from "@donjon/core/errors";
import type { Binding } from "@donjon/protocol/attestation/binding";
import type { PlatformEvidence } from "@donjon/protocol/attestation/evidence";
import { Prover } from "../../src/attest/prover.ts";

const EVIDENCE: PlatformEvidence = {
  tee: "snp",
  evidence: Uint8Array.of(1),
  auxiliary: new Uint8Array(),
};
const BINDING: Binding = {
  nonce: null,
  exporter: null,
  key: new Uint8Array(32),
  manifest: null,
  workload: null,
  owner: null,
};

/** The attester's first answer waits for `begin`; all its answers come one at a time, or the test fails. */
function createProver() {
  const gate = Promise.withResolvers<void>();
  let busy = false;
  let asked = 0;
  const attest = async () => {
    assert.ok(!busy, "asked while it still answers");
    busy = true;
    asked += 1;
    await gate.promise;
    busy = false;
    return EVIDENCE;
  };
  const prover = new Prover({ hardware: false, attest });
  return { prover, begin: gate.resolve, asked: () => asked };
}

test("sessions take turns, whoever asked more and earlier", async () => {
  const { prover, begin } = createProver();
  const [greedy, modest] = [{ destroyed: false }, { destroyed: false }];
  const order: string[] = [];
  const ask = (name: string, asker: { destroyed: boolean }) =>
    prover.prove(BINDING, asker).then(() => order.push(name));
  const all = [
    ...["g1", "g2", "g3", "g4"].map((name) => ask(name, greedy)),
    ...["m1", "m2"].map((name) => ask(name, modest)),
  ];
  begin();
  await Promise.all(all);
  assert.deepEqual(order, ["g1", "g2", "m1", "g3", "m2", "g4"]);
  await prover.prove(BINDING, modest);
});

test("questions of a closed session are dropped, without asking the processor", async () => {
  const { prover, begin, asked } = createProver();
  const closed = { destroyed: false };
  const dropped = Array.from({ length: 16 }, () => prover.prove(BINDING, closed));
  const settled = Promise.allSettled(dropped);
  const answered = prover.prove(BINDING, { destroyed: false });
  closed.destroyed = true;
  begin();
  const [first, ...others] = await settled;
  assert.equal(first?.status, "fulfilled");
  for (const other of others) {
    assert.ok(other.status === "rejected");
    assert.equal((other.reason as DonjonError).code, "session/closed");
  }
  await answered;
  assert.equal(asked(), 2);
});

test("a platform that fails once answers the next question", async () => {
  let fails = true;
  const attest = async () => {
    if (!fails) return EVIDENCE;
    fails = false;
    throw new DonjonError("keep/state", "no evidence");
  };
  const prover = new Prover({ hardware: false, attest });
  const asker = { destroyed: false };
  const first = prover.prove(BINDING, asker);
  const second = prover.prove(BINDING, asker);
  await assert.rejects(first, { code: "keep/state" });
  assert.ok((await second).length > 0);
});
