/** Hosts that turn their clock back, so that what is over seems to hold. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { duplexPair } from "node:stream";
import { after, test } from "node:test";
import { openAttestedSession } from "@donjon/client/attested/open";
import { createSimulatedVerifier } from "@donjon/client/attested/verifier";
import { connectTls, createTlsAcceptor, createTlsContext } from "@donjon/keep/gate/tls";
import { createIdentity } from "@donjon/keep/identity/identity";
import { openSecurityProcessor } from "@donjon/simtee/security-processor";
import { createProvision } from "@donjon/testkit/contract/keep-fixture";
import { encodeAnswer, readAll, startHost } from "./support/hostile-host.ts";
import { assertRefuses, createSetting } from "./support/setting.ts";

const DAY_MS = 86_400_000;
const setting = await createSetting();
const host = startHost({ answer: setting.createAnswer(() => host.keep) });
after(() => host[Symbol.asyncDispose]());

test("a host whose clock is back shows a client revocation lists that are over, and gets nothing", async () => {
  const verify = await setting.createVerifier(host.keep, {
    now: () => new Date(Date.now() + 40 * DAY_MS),
  });
  await assertRefuses(setting, { stream: host.call(), verify }, [
    { code: "evidence/refused", reason: "intel/root-crl-stale" },
    { code: "evidence/refused", reason: "intel/pck-crl-stale" },
    { code: "evidence/refused", reason: "intel/tcb-info-expired" },
  ]);
});

test("a host that issues and signs everything in the past gets nothing", async () => {
  const now = () => new Date(Date.now() - 400 * DAY_MS);
  const past = await openSecurityProcessor(join(setting.folder, "past"), { now });
  const launch = await host.keep.measure();
  const honest = host.answer;
  host.answer = async (stream, reportData) => {
    const { evidence, auxiliary } = await past.createEvidence(launch, reportData);
    stream.end(encodeAnswer({ tee: "sgx", evidence, auxiliary }));
  };
  const policy = { sgx: { mrEnclave: [Buffer.from(launch.measurement).toString("hex")] } };
  const verify = createSimulatedVerifier(past.trust, { policy });
  await assertRefuses(setting, { stream: host.call(), verify }, [
    { code: "evidence/refused", reason: "intel/root-crl-stale" },
    { code: "evidence/refused", reason: "intel/pck-crl-stale" },
    { code: "evidence/refused", reason: "intel/tcb-info-expired" },
  ]);
  host.answer = honest;
});

test("a workload's clock is never earlier than its owner's, whatever the host's says", async (t) => {
  const owners = Date.now() + 400 * DAY_MS;
  t.mock.method(Date, "now", () => owners);
  const verify = await setting.createVerifier(host.keep, { now: () => new Date() });
  const session = await openAttestedSession(host.call(), {
    identity: setting.owner,
    verify,
    expect: "new",
  });
  const clock = readFileSync(join(import.meta.dirname, "guests/clock.wasm"));
  const run = session.provision(createProvision(clock));
  const output = await readAll(run.stdout);
  await run.result;
  const seen = Number(output.readBigUInt64LE() / 1_000_000n);
  assert.ok(seen >= owners, `the workload saw ${new Date(seen).toISOString()}`);
  assert.ok(seen < owners + DAY_MS);
});

test("a Keep's connection trusts no certificate that is over by its owner's clock, whatever the host's says", async () => {
  const identity = createIdentity(Date.now());
  const context = createTlsContext({
    cert: identity.certificatePem,
    key: identity.keyPem,
    ca: identity.certificatePem,
  });
  const dial = (now: () => number) => {
    const [server, client] = duplexPair();
    createTlsAcceptor()(server, context, () => {});
    return connectTls(client, "localhost", context, now);
  };
  (await dial(Date.now)).destroy();
  await assert.rejects(
    dial(() => Date.now() + 400 * DAY_MS),
    { code: "gate/refused", message: /no longer valid/ },
  );
});
