import assert from "node:assert/strict";
import { before, test } from "node:test";
import { DonjonError } from "@donjon/core/errors";
import {
  type EvidenceOptions,
  FAKE_NOW,
  type FakeAmd,
  makeEvidence,
  makeFakeAmd,
} from "@donjon/testkit/amd";
import {
  appraise,
  diffClaims,
  explain,
  formatDiff,
  type Policy,
  type PolicyReason,
  parsePolicyToml,
  requireAccepted,
} from "../../src/appraise.ts";
import { type VerifiedSnp, verifySnp } from "../../src/snp.ts";
import { refusal } from "../refusal.ts";

let amd: FakeAmd;
before(async () => {
  amd = await makeFakeAmd("Milan");
});

const MEASUREMENT = "11".repeat(48);
const GOOD: Policy = { reportData: ["00".repeat(64)], snp: { measurement: [MEASUREMENT] } };

async function verified(options: Partial<EvidenceOptions> = {}): Promise<VerifiedSnp> {
  const { report, certificates, crls, roots } = await makeEvidence(amd, {
    version: 5,
    signer: "vcek",
    ...options,
  });
  return verifySnp(report, { certificates, crls }, { now: FAKE_NOW, roots });
}

function failed(evidence: VerifiedSnp, policy: Policy): readonly string[] {
  return appraise(evidence, policy)
    .checks.filter(({ ok }) => !ok)
    .map(({ code }) => code);
}

/** `GOOD` with other knobs for SNP. */
function snp(section: Policy["snp"]): Policy {
  return { ...GOOD, snp: { ...GOOD.snp, ...section } };
}

test("a policy that names measurement and report data accepts, and lists every check", async () => {
  const appraisal = appraise(await verified(), GOOD);
  assert.equal(appraisal.verdict, "accepted");
  assert.equal(requireAccepted(appraisal), appraisal);
  const codes = appraisal.checks.map(({ code }) => code);
  for (const code of [
    "policy/kind",
    "policy/measurement",
    "policy/report-data",
    "policy/debug",
    "policy/migration",
    "policy/vmpl",
    "policy/provisional",
  ] as const) {
    assert.ok(codes.includes(code), code);
  }
});

test("an empty policy, or one for another kind, refuses", async () => {
  const evidence = await verified();
  assert.deepEqual(failed(evidence, {}), ["policy/kind"]);
  assert.deepEqual(failed(evidence, { sgx: { mrEnclave: "any" }, reportData: "any" }), [
    "policy/kind",
  ]);
  assert.deepEqual(failed(evidence, { snp: {} }), ["policy/measurement", "policy/report-data"]);
});

interface Case {
  readonly name: string;
  readonly evidence?: Partial<EvidenceOptions>;
  readonly refused: Policy;
  readonly accepted: Policy;
  readonly code: PolicyReason;
}

const DEBUG_POLICY = 0x3001fn | (1n << 19n);
const CASES: readonly Case[] = [
  {
    name: "measurement",
    code: "policy/measurement",
    refused: snp({ measurement: ["22".repeat(48)] }),
    accepted: snp({ measurement: "any" }),
  },
  {
    name: "report data",
    code: "policy/report-data",
    refused: { ...GOOD, reportData: ["01".repeat(64)] },
    accepted: { ...GOOD, reportData: "any" },
  },
  {
    name: "debug",
    evidence: { report: { policy: DEBUG_POLICY } },
    code: "policy/debug",
    refused: GOOD,
    accepted: snp({ allowDebug: true }),
  },
  {
    name: "migration",
    evidence: { report: { policy: 0x3001fn | (1n << 18n) } },
    code: "policy/migration",
    refused: GOOD,
    accepted: snp({ allowMigration: true }),
  },
  {
    name: "SMT",
    code: "policy/smt",
    refused: snp({ allowSmt: false }),
    accepted: snp({ allowSmt: true }),
  },
  {
    name: "VMPL",
    evidence: { report: { vmpl: 1 } },
    code: "policy/vmpl",
    refused: GOOD,
    accepted: snp({ vmpl: [0, 1] }),
  },
  {
    name: "host data",
    code: "policy/host-data",
    refused: snp({ hostData: ["ab".repeat(32)] }),
    accepted: snp({ hostData: ["00".repeat(32)] }),
  },
  {
    name: "family id",
    code: "policy/identity",
    refused: snp({ familyId: ["ab".repeat(16)] }),
    accepted: snp({ familyId: ["00".repeat(16)] }),
  },
  {
    name: "id key",
    code: "policy/signer",
    refused: snp({ idKeyDigest: ["ab".repeat(48)] }),
    accepted: snp({ idKeyDigest: ["00".repeat(48)] }),
  },
  {
    name: "chip",
    code: "policy/platform",
    refused: snp({ chipId: ["ab".repeat(64)] }),
    accepted: snp({ chipId: ["c5".repeat(64)] }),
  },
  {
    name: "product",
    code: "policy/platform",
    refused: snp({ product: ["Turin"] }),
    accepted: snp({ product: ["Turin", "Milan"] }),
  },
  {
    name: "signer",
    code: "policy/platform",
    refused: snp({ signer: ["vlek"] }),
    accepted: snp({ signer: ["vcek"] }),
  },
  {
    name: "guest SVN",
    evidence: { report: { guestSvn: 3 } },
    code: "policy/svn",
    refused: snp({ minimumGuestSvn: 4 }),
    accepted: snp({ minimumGuestSvn: 3 }),
  },
  {
    name: "ABI",
    code: "policy/abi",
    refused: snp({ minimumAbi: { major: 0, minor: 32 } }),
    accepted: snp({ minimumAbi: { major: 0, minor: 31 } }),
  },
  {
    name: "firmware",
    code: "policy/firmware",
    refused: snp({ minimumVersion: { major: 1, minor: 55, build: 30 } }),
    accepted: snp({ minimumVersion: { major: 1, minor: 54, build: 99 } }),
  },
  {
    name: "reported TCB",
    code: "policy/tcb",
    refused: snp({ minimumReportedTcb: { snp: 25 } }),
    accepted: snp({ minimumReportedTcb: { snp: 24, microcode: 1 } }),
  },
  {
    name: "TCB at launch",
    code: "policy/tcb",
    refused: snp({ minimumLaunchTcb: { microcode: 0xdc } }),
    accepted: snp({ minimumLaunchTcb: { microcode: 0xdb } }),
  },
  {
    name: "an FMC floor on Milan",
    code: "policy/tcb",
    refused: snp({ minimumCommittedTcb: { fmc: 0 } }),
    accepted: snp({ minimumCommittedTcb: { tee: 2 } }),
  },
  {
    name: "provisional firmware",
    evidence: { report: { patch: [[0x1e8, 30]] } },
    code: "policy/provisional",
    refused: GOOD,
    accepted: snp({ allowProvisional: true }),
  },
  {
    name: "required platform bit",
    code: "policy/features",
    refused: snp({ requirePlatform: ["raplDis"] }),
    accepted: snp({ requirePlatform: ["eccEn"] }),
  },
  {
    name: "required policy bit",
    code: "policy/features",
    refused: snp({ requirePolicy: ["singleSocket"] }),
    accepted: snp({ requirePolicy: ["smt"] }),
  },
  {
    name: "unknown platform bit",
    evidence: { report: { platformInfo: 0x40n } },
    code: "policy/features",
    refused: snp({ allowUnknownFeatures: false }),
    accepted: GOOD,
  },
  {
    name: "mitigations",
    evidence: { report: { mitVectors: [3n, 7n] } },
    code: "policy/mitigations",
    refused: snp({ requireMitigations: 4n }),
    accepted: snp({ requireMitigations: 3n }),
  },
  {
    name: "mitigations of version 3",
    evidence: { version: 3 },
    code: "policy/mitigations",
    refused: snp({ requireMitigations: 1n }),
    accepted: GOOD,
  },
];

for (const { name, evidence, code, refused, accepted } of CASES) {
  test(`the policy decides on ${name} with ${code}`, async () => {
    const proof = await verified(evidence);
    const found = failed(proof, refused);
    assert.ok(found.length > 0 && found.every((one) => one === code), found.join(", "));
    assert.deepEqual(failed(proof, accepted), []);
    assert.throws(() => requireAccepted(appraise(proof, refused)), refusal(code));
  });
}

test("the explanation of made-up evidence says INSECURE on every line", async () => {
  const text = explain(appraise(await verified(), GOOD));
  assert.ok(
    text
      .trimEnd()
      .split("\n")
      .every((line) => line.startsWith("INSECURE ")),
  );
  assert.match(text, /^INSECURE ACCEPTED: snp evidence/);
});

test("the explanation of a refusal leads with its reasons", async () => {
  const text = explain(
    appraise(await verified(), { snp: { measurement: "any", reportData: ["ab".repeat(64)] } }),
  );
  const lines = text.split("\n");
  assert.match(lines[0]!, /REFUSED/);
  assert.match(lines[1]!, /because the report data is not the one wanted/);
});

test("a diff names what changed and nothing else", async () => {
  const before = appraise(await verified({ report: { guestSvn: 1 } }), GOOD).claims;
  const after = appraise(await verified({ report: { guestSvn: 2, vmpl: 1 } }), GOOD).claims;
  const changes = diffClaims(before, after);
  assert.deepEqual(
    changes.map(({ path }) => path),
    ["guestSvn", "vmpl"],
  );
  assert.equal(formatDiff(changes), "guestSvn: 1 -> 2\nvmpl: 0 -> 1\n");
  assert.equal(formatDiff(diffClaims(after, after)), "no claim differs\n");
});

test("a policy file in TOML reads as the object form does", () => {
  const policy = parsePolicyToml(`
report_data = "any"
[snp]
measurement = ["${MEASUREMENT.toUpperCase()}"]
vmpl = 1
allow_smt = false
require_mitigations = "0x3f"
minimum_reported_tcb = { snp = 24, microcode = 219 }
`);
  assert.deepEqual(policy, {
    reportData: "any",
    snp: {
      measurement: [MEASUREMENT],
      vmpl: [1],
      allowSmt: false,
      requireMitigations: 0x3fn,
      minimumReportedTcb: { snp: 24, microcode: 219 },
    },
  });
});

const WRONG: readonly (readonly [text: string, code: string])[] = [
  ["[snp", "policy/syntax"],
  ["[snp]\nmeasurment = 'any'", "policy/unknown-key"],
  ["[sev]\nmeasurement = 'any'", "policy/unknown-key"],
  ["[snp]\nmeasurement = 'ab'", "policy/value"],
  ["[snp]\nmeasurement = []", "policy/value"],
  ["[snp]\nallow_debug = 1", "policy/value"],
  ["[snp]\nvmpl = -1", "policy/value"],
  ["[snp]\nproduct = 'Rome'", "policy/value"],
  ["[snp]\nminimum_launch_tcb = { svn = 1 }", "policy/unknown-key"],
  ["[snp]\nallow_debug = true\nallowDebug = false", "policy/value"],
  ["snp = 3", "policy/value"],
  ["[snp]\n__proto__ = 1", "policy/unknown-key"],
];

for (const [text, code] of WRONG) {
  test(`the policy ${JSON.stringify(text)} is refused with ${code}`, () => {
    assert.throws(
      () => parsePolicyToml(text),
      (error) => error instanceof DonjonError && error.code === code,
    );
  });
}
