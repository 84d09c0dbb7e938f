import assert from "node:assert/strict";
import { test } from "node:test";
import { FAKE_NOW, makeEvidence, makeFakeAmd } from "@donjon/testkit/amd";
import { appraise, type Policy } from "../../src/appraise.ts";
import {
  encodeBundle,
  encodeEar,
  makeBundle,
  parseBundle,
  parseEar,
  signEar,
  verifyBundle,
  verifyEar,
} from "../../src/envelope.ts";
import { openEvidence } from "../../src/open.ts";
import { verifySnp } from "../../src/snp.ts";
import { refusal } from "../refusal.ts";

const amd = await makeFakeAmd("Milan");
const { report, certificates, crls, roots } = await makeEvidence(amd, {
  version: 5,
  signer: "vcek",
});
const ACCEPT: Policy = {
  reportData: "any",
  snp: { measurement: "any", requireMitigations: 0x3fn },
};
const REFUSE: Policy = { reportData: "any", snp: { measurement: ["ab".repeat(48)] } };
const OPTIONS = { now: FAKE_NOW, roots: { amd: roots } };
const SET = { kind: "snp", evidence: report, certificates, crls } as const;
const EAR_OPTIONS = {
  issuedAt: FAKE_NOW,
  verifier: { developer: "https://example.com", build: "1" },
  nonce: "abcdefgh",
  policyIds: ["p1"],
};

async function appraisal(policy: Policy) {
  return appraise(
    await verifySnp(report, { certificates, crls }, { now: FAKE_NOW, roots }),
    policy,
  );
}

test("an EAR in either spelling reads back the same", async () => {
  const keys = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-384" }, true, [
    "sign",
    "verify",
  ]);
  for (const spelling of ["draft-04", "dotted"] as const) {
    const claims = encodeEar(await appraisal(REFUSE), { ...EAR_OPTIONS, spelling });
    const token = await signEar(claims, keys.privateKey, "ES384");
    const ear = await verifyEar(token, keys.publicKey, { now: FAKE_NOW, algorithms: ["ES384"] });
    const snp = ear.submodules.get("snp")!;
    assert.equal(snp.status, "contraindicated");
    assert.equal(snp.vector.executables, 96);
    assert.deepEqual(snp.policyIds, ["p1"]);
    assert.equal(ear.nonce, "abcdefgh");
    assert.equal((snp.attesterClaims as { product: string }).product, "Milan");
  }
});

test("an EAR writes the names of the draft unless dotted ones are asked for", async () => {
  const draft = encodeEar(await appraisal(ACCEPT), EAR_OPTIONS);
  assert.equal(draft["eat_profile"], "tag:ietf.org,2026:rats/ear#04");
  assert.ok("ear_verifier_id" in draft);
  const dotted = encodeEar(await appraisal(ACCEPT), { ...EAR_OPTIONS, spelling: "dotted" });
  assert.ok("ear.verifier-id" in dotted);
});

test("evidence by a caller's root is at best a warning", async () => {
  assert.equal(
    parseEar(encodeEar(await appraisal(ACCEPT), EAR_OPTIONS)).submodules.get("snp")!.status,
    "warning",
  );
});

test("an EAR with another signature, algorithm or form is refused", async () => {
  const algorithm = { name: "ECDSA", namedCurve: "P-384" };
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const other = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const token = await signEar(
    encodeEar(await appraisal(ACCEPT), EAR_OPTIONS),
    keys.privateKey,
    "ES384",
  );
  const options = { now: FAKE_NOW, algorithms: ["ES384"] };
  await assert.rejects(verifyEar(token, other.publicKey, options), refusal("envelope/signature"));
  await assert.rejects(
    verifyEar(token, keys.publicKey, { ...options, algorithms: ["ES256"] }),
    refusal("envelope/signature"),
  );
  await assert.rejects(verifyEar("a.b.c", keys.publicKey, options), refusal("envelope/signature"));
  for (const claims of [
    null,
    {},
    { eat_profile: "x" },
    { eat_profile: "tag:ietf.org,2026:rats/ear#04", iat: 1, ear_verifier_id: {}, submods: {} },
  ]) {
    assert.throws(() => parseEar(claims), refusal("envelope/malformed"));
  }
});

for (const [verdict, policy] of [
  ["accepted", ACCEPT],
  ["refused", REFUSE],
] as const) {
  test(`a bundle of ${verdict} evidence gives the same verdict after writing and reading`, async () => {
    const bundle = await makeBundle(SET, policy, OPTIONS);
    const text = encodeBundle(bundle);
    const again = await verifyBundle(parseBundle(text), { roots: { amd: roots } });
    assert.equal(again.verdict, verdict);
    assert.equal(encodeBundle(parseBundle(text)), text);
  });
}

test("a bundle of made-up evidence is refused without the caller's root", async () => {
  const bundle = await makeBundle(SET, ACCEPT, OPTIONS);
  await assert.rejects(verifyBundle(bundle), refusal("snp/certificate-signature"));
});

test("a bundle whose verdict, policy or evidence was changed is refused", async () => {
  const bundle = await makeBundle(SET, REFUSE, OPTIONS);
  const options = { roots: { amd: roots } };
  await assert.rejects(
    verifyBundle({ ...bundle, verdict: "accepted" }, options),
    refusal("bundle/verdict"),
  );
  await assert.rejects(
    verifyBundle({ ...bundle, policy: ACCEPT }, options),
    refusal("bundle/verdict"),
  );
  const evidence = report.slice();
  evidence[0x50]! ^= 1;
  await assert.rejects(
    verifyBundle({ ...bundle, set: { ...bundle.set, evidence } }, options),
    refusal("snp/signature"),
  );
});

test("a bundle's preimage must be what the report data is the SHA-512 of", async () => {
  const preimage = new TextEncoder().encode("what the evidence speaks for");
  const reportData = new Uint8Array(await crypto.subtle.digest("SHA-512", preimage));
  const report = { reportData };
  const { report: evidence, ...bound } = await makeEvidence(amd, {
    version: 5,
    signer: "vcek",
    report,
  });
  const set = {
    kind: "snp",
    evidence,
    certificates: bound.certificates,
    crls: bound.crls,
  } as const;
  const bundle = { ...(await makeBundle(set, ACCEPT, OPTIONS)), preimage };
  const options = { roots: { amd: roots } };
  const again = parseBundle(encodeBundle(bundle));
  assert.deepEqual(again.preimage, preimage);
  assert.equal((await verifyBundle(again, options)).verdict, "accepted");
  for (const other of [preimage.slice(1), new Uint8Array()]) {
    const changed = parseBundle(encodeBundle({ ...bundle, preimage: other }));
    await assert.rejects(verifyBundle(changed, options), refusal("envelope/binding"));
    const opened = openEvidence(new TextEncoder().encode(encodeBundle(changed)));
    await assert.rejects(opened.verifyBinding!(reportData), refusal("envelope/binding"));
  }
});

test("a relaxation that only the bundle names does not count", async () => {
  const bundle = await makeBundle({ ...SET, crls: [] }, ACCEPT, {
    ...OPTIONS,
    allow: ["missing-crl"],
  });
  const options = { roots: { amd: roots } };
  await assert.rejects(verifyBundle(bundle, options), refusal("snp/crl-missing"));
  assert.equal(
    (await verifyBundle(bundle, { ...options, allow: ["missing-crl"] })).verdict,
    "accepted",
  );
});

test("a bundle with an unknown key, format, kind or octets is refused", async () => {
  const text = encodeBundle(await makeBundle(SET, ACCEPT, OPTIONS));
  const json = JSON.parse(text);
  const changes = [
    { format: "donjon/proof/2" },
    { kind: "sev" },
    { extra: 1 },
    { evidence: "*" },
    { at: "yesterday" },
    { policy: { snp: { nope: 1 } } },
    { allow: [1] },
    { collateral: [] },
    { crls: {} },
    { verdict: true },
  ];
  for (const change of changes) {
    assert.throws(
      () => parseBundle(JSON.stringify({ ...json, ...change })),
      refusal("bundle/malformed"),
    );
  }
  assert.throws(() => parseBundle(text.slice(0, -10)), refusal("bundle/malformed"));
  assert.throws(() => parseBundle("[]"), refusal("bundle/malformed"));
});
