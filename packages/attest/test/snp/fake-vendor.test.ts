import assert from "node:assert/strict";
import { test } from "node:test";
import {
  badEvidence,
  FAKE_NOW,
  FAKE_TCB,
  type FakeAmd,
  type FakeEvidence,
  makeEvidence,
  makeFakeAmd,
} from "@donjon/testkit/amd";
import { SNP_REASONS, type SnpReason, VerifyCache, verifySnp } from "../../src/snp.ts";
import { refusal } from "../refusal.ts";

const PRODUCTS = ["Milan", "Genoa", "Turin"] as const;
const vendors = new Map(
  await Promise.all(PRODUCTS.map(async (name) => [name, await makeFakeAmd(name)] as const)),
);

function vendor(name: (typeof PRODUCTS)[number]): FakeAmd {
  return vendors.get(name)!;
}

function verify(evidence: FakeEvidence, cache?: VerifyCache) {
  const { report, certificates, crls, roots } = evidence;
  return verifySnp(
    report,
    { certificates, crls },
    { now: FAKE_NOW, roots, ...(cache && { cache }) },
  );
}

for (const product of PRODUCTS) {
  for (const signer of ["vcek", "vlek"] as const) {
    for (const version of [2, 3, 4, 5] as const) {
      test(`accepts a made-up ${product} report, version ${version}, signed by a ${signer.toUpperCase()}`, async () => {
        const verified = await verify(await makeEvidence(vendor(product), { version, signer }));
        assert.equal(verified.claims.product, product);
        assert.equal(verified.claims.signer, signer);
        assert.equal(verified.anchor.origin, "caller");
        const fmc = product === "Turin" ? FAKE_TCB.fmc : null;
        assert.deepEqual(verified.claims.tcb.launch, { ...FAKE_TCB, fmc });
        assert.equal(verified.claims.currentMitVector, version === 5 ? "3f" : null);
        assert.ok(verified.checks.every((check) => check.ok && check.allowed === undefined));
      });
    }
  }

  for (const { name, reason, make } of badEvidence(vendor(product))) {
    test(`refuses ${product} evidence with ${name} as ${reason}`, async () => {
      const evidence = await make();
      await assert.rejects(verify(evidence), refusal(reason));
    });
  }
}

test("made-up evidence of AMD's names is refused by AMD's roots", async () => {
  const { report, certificates, crls } = await makeEvidence(vendor("Milan"), {
    version: 5,
    signer: "vcek",
  });
  const options = { now: FAKE_NOW, allow: ["missing-crl"] } as const;
  await assert.rejects(
    verifySnp(report, { certificates }, options),
    refusal("snp/certificate-signature"),
  );
  await assert.rejects(
    verifySnp(report, { certificates, crls }, options),
    refusal("snp/certificate-signature"),
  );
});

test("a report of version 6 is read as version 5 only when that is allowed by name", async () => {
  const evidence = await makeEvidence(vendor("Turin"), {
    version: 5,
    signer: "vcek",
    report: { version: 6, patch: [[0x208, 1]] },
  });
  await assert.rejects(verify(evidence), refusal("snp/version"));
  const { report, certificates, crls, roots } = evidence;
  const verified = await verifySnp(
    report,
    { certificates, crls },
    { now: FAKE_NOW, roots, allow: ["newer-version"] },
  );
  assert.equal(verified.claims.reportVersion, 6);
  assert.equal(
    verified.checks.find(({ code }) => code === "snp/version")?.allowed,
    "newer-version",
  );
});

test("a masked CHIP_ID is accepted with a VCEK and reported as null", async () => {
  const evidence = await makeEvidence(vendor("Milan"), {
    version: 5,
    signer: "vcek",
    report: { chipId: new Uint8Array(64) },
  });
  assert.equal((await verify(evidence)).claims.chipId, null);
});

test("a stale CRL is accepted by name, and what it revokes is still refused", async () => {
  const amd = vendor("Milan");
  const nextUpdate = new Date("2025-06-01");
  const options = { now: FAKE_NOW, roots: [amd.root], allow: ["stale-crl"] } as const;
  const fine = await makeEvidence(amd, { version: 5, signer: "vcek", crl: { nextUpdate } });
  await verifySnp(fine.report, fine, options);
  const revoked = await makeEvidence(amd, {
    version: 5,
    signer: "vcek",
    crl: { nextUpdate, revoked: [amd.ask.serialNumber] },
  });
  await assert.rejects(verifySnp(revoked.report, revoked, options), refusal("snp/revoked"));
});

test("a cache changes no answer: bad evidence after good of the same vendor is refused", async () => {
  const amd = vendor("Milan");
  const cache = new VerifyCache({ entries: 4 });
  const good = await makeEvidence(amd, { version: 5, signer: "vcek" });
  await verify(good, cache);
  for (const { reason, make } of badEvidence(amd)) {
    await assert.rejects(verify(await make(), cache), refusal(reason));
    await verify(good, cache);
  }
});

test("every reason for refusing a report is produced by made-up evidence", () => {
  const produced = new Set<SnpReason>(badEvidence(vendor("Milan")).map(({ reason }) => reason));
  const elsewhere: readonly SnpReason[] = ["snp/certificate-table"];
  const missing = (Object.keys(SNP_REASONS) as SnpReason[]).filter(
    (reason) => !produced.has(reason) && !elsewhere.includes(reason),
  );
  assert.deepEqual(missing, []);
});
