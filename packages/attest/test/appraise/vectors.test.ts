import assert from "node:assert/strict";
import { test } from "node:test";
import { appraise, explain, type Policy, requireAccepted } from "../../src/appraise.ts";
import { verifySnp } from "../../src/snp.ts";
import { refusal } from "../refusal.ts";
import { readCertificates, readVector, skipVectors, warnSkipped } from "../vectors.ts";

/** Any measurement and report data; everything else as the policy has it when nothing is said. */
const DEFAULTS: Policy = { reportData: "any", snp: { measurement: "any" } };

interface Case {
  readonly report: string;
  readonly leaf: string;
  readonly now: string;
  readonly refused: readonly string[];
}

const FOLDER = "tee-attestation-verification";
const CASES: readonly Case[] = [
  {
    report: "go-sev-guest/attestation.bin",
    leaf: "go-sev-guest/vcek.testcer",
    now: "2022-10-01",
    refused: ["policy/debug"],
  },
  {
    report: `${FOLDER}/milan_attestation_report.bin`,
    leaf: `${FOLDER}/milan_vcek.pem`,
    now: "2026-06-01",
    refused: [],
  },
  {
    report: `${FOLDER}/genoa_attestation_report.bin`,
    leaf: `${FOLDER}/genoa_vcek.pem`,
    now: "2026-06-01",
    refused: [],
  },
  {
    report: `${FOLDER}/turin_attestation_report.bin`,
    leaf: `${FOLDER}/turin_vcek.pem`,
    now: "2026-06-01",
    refused: [],
  },
  { report: "teekit/sev-gcp.bin", leaf: "teekit/sev-gcp-vcek.pem", now: "2026-06-01", refused: [] },
  {
    report: "lunal-attestation-rs/snp/live-report-v5-genoa.bin",
    leaf: "lunal-attestation-rs/snp/live-vcek-genoa.der",
    now: "2026-06-01",
    refused: [],
  },
];
warnSkipped(CASES.length);

for (const { report, leaf, now, refused } of CASES) {
  test(`a policy with its defaults ${refused.length === 0 ? "accepts" : "refuses"} ${report}`, {
    skip: skipVectors,
  }, async () => {
    const endorsements = { certificates: readCertificates(leaf).slice(0, 1) };
    const verified = await verifySnp(readVector(report), endorsements, {
      now: new Date(now),
      allow: ["missing-crl"],
    });
    const appraisal = appraise(verified, DEFAULTS);
    assert.deepEqual(
      appraisal.checks.filter(({ ok }) => !ok).map(({ code }) => code),
      refused,
    );
    if (refused.length > 0)
      assert.throws(() => requireAccepted(appraisal), refusal("policy/debug"));
    const text = explain(appraisal);
    assert.doesNotMatch(text, /INSECURE/);
    assert.match(text, /note: snp\/crl-missing was let pass by the option 'missing-crl'/);
  });
}
