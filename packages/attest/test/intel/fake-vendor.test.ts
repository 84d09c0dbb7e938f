/** SGX and TDX evidence of a made-up Intel: good of every kind, and bad with one thing wrong. */
import assert from "node:assert/strict";
import { before, test } from "node:test";
import {
  badIntelEvidence,
  type FakeIntel,
  INTEL_NOW,
  type IntelEvidence,
  type IntelEvidenceOptions,
  makeFakeIntel,
  makeIntelEvidence,
  quoteCollateralV3,
} from "@donjon/testkit/intel";
import { parseQuoteCollateralV3 } from "../../src/intel/collateral.ts";
import { parseQuote } from "../../src/intel/quote.ts";
import { INTEL_REASONS } from "../../src/intel/reasons.ts";
import { TCB_STATUSES } from "../../src/intel/tcb-status.ts";
import type { IntelRelaxation } from "../../src/intel/verify-quote.ts";
import { verifySgx } from "../../src/sgx/verify.ts";
import { TDX_REASONS } from "../../src/tdx/reasons.ts";
import { verifyTdx } from "../../src/tdx/verify.ts";
import { VerifyCache } from "../../src/verify-cache.ts";
import { refusal } from "../refusal.ts";

let intel: FakeIntel;
before(async () => {
  intel = await makeFakeIntel();
});

const make = (options: Partial<IntelEvidenceOptions> = {}) =>
  makeIntelEvidence(intel, { version: 5, body: "td-1.5", ...options });

function verify(
  evidence: IntelEvidence,
  allow: readonly IntelRelaxation[] = [],
  cache = new VerifyCache(),
) {
  const options = { now: INTEL_NOW, roots: evidence.roots, allow, cache };
  const sgx = evidence.quote[4] === 0;
  return sgx
    ? verifySgx(evidence.quote, evidence.collateral, options)
    : verifyTdx(evidence.quote, evidence.collateral, options);
}

const KINDS = [
  [3, "sgx"],
  [4, "sgx"],
  [5, "sgx"],
  [4, "td-1.0"],
  [5, "td-1.0"],
  [5, "td-1.5"],
  [5, "td-1.5-ex"],
] as const;

for (const [version, body] of KINDS) {
  for (const chain of ["pem", "der", "ppid"] as const) {
    test(`verify accepts a quote of version ${version} with body ${body} and ${chain} chain`, async () => {
      const evidence = await make({ version, body, chain });
      const { claims, anchor, checks } = await verify(evidence);
      assert.equal(claims.tcb?.status, "UpToDate");
      assert.equal(claims.tcb.evaluationDataNumber, 18);
      assert.equal(claims.quoteVersion, version);
      assert.equal(anchor.origin, "caller");
      assert.ok(
        checks.length > 30 && checks.every((check) => check.ok && check.allowed === undefined),
      );
      const report = "td" in claims ? claims.td.reportData : claims.enclave.reportData;
      assert.deepEqual(Buffer.from(report), Buffer.alloc(64, 0x42));
      if (body === "td-1.5-ex" && "td" in claims)
        assert.deepEqual(Buffer.from(claims.td.tdId!), Buffer.alloc(32, 0x55));
    });
  }
}

test("every way to be bad is refused with its own reason", async (t) => {
  const all = await badIntelEvidence(intel);
  for (const { name, reason, body, make: makeBad } of all) {
    await t.test(`${name}: ${reason}`, async () => {
      const evidence = await makeBad();
      const options = { now: INTEL_NOW, roots: evidence.roots };
      const proof =
        body === "sgx"
          ? verifySgx(evidence.quote, evidence.collateral, options)
          : verifyTdx(evidence.quote, evidence.collateral, options);
      await assert.rejects(proof, refusal(reason));
    });
  }
  const shown = new Set<string>(all.map(({ reason }) => reason));
  const reasons = [...Object.keys(INTEL_REASONS), ...Object.keys(TDX_REASONS)];
  const missing = reasons.filter((reason) => !shown.has(reason));
  assert.deepEqual(missing, ["intel/tee-type"], "reasons that no bad evidence shows");
});

test("a quote of the other TEE is refused", async () => {
  const { quote, collateral, roots } = await make({ version: 3, body: "sgx" });
  await assert.rejects(
    verifyTdx(quote, collateral, { now: INTEL_NOW, roots }),
    refusal("intel/tee-type"),
  );
});

test("without the caller's root, simulated evidence is refused", async () => {
  const { quote, collateral } = await make();
  await assert.rejects(
    verifyTdx(quote, collateral, { now: INTEL_NOW }),
    refusal("intel/pck-chain"),
  );
});

const RELAXED: readonly (readonly [
  IntelRelaxation,
  Partial<IntelEvidenceOptions>,
  (good: IntelEvidence) => Partial<IntelEvidence["collateral"]>,
])[] = [
  ["missing-crl", {}, () => ({ rootCrl: undefined, pckCrl: undefined })],
  ["stale-crl", { pckCrl: { nextUpdate: new Date("2025-06-01T00:00:00Z") } }, () => ({})],
  ["missing-tcb-info", {}, () => ({ tcbInfo: undefined })],
  ["stale-tcb-info", { tcbInfo: { nextUpdate: "2026-05-31T00:00:00Z" } }, () => ({})],
  ["missing-qe-identity", {}, () => ({ qeIdentity: undefined })],
  ["stale-qe-identity", { qeIdentity: { nextUpdate: "2026-05-31T00:00:00Z" } }, () => ({})],
];

for (const [relaxation, options, change] of RELAXED) {
  test(`only '${relaxation}' lets evidence pass that needs it`, async () => {
    const good = await make(options);
    const evidence = { ...good, collateral: { ...good.collateral, ...change(good) } };
    const others = RELAXED.map(([name]) => name).filter((name) => name !== relaxation);
    await assert.rejects(verify(evidence, others), refusal());
    const { checks } = await verify(evidence, [relaxation]);
    assert.ok(checks.some((check) => check.allowed === relaxation));
  });
}

test("a stale CRL still revokes", async () => {
  const nextUpdate = new Date("2025-06-01T00:00:00Z");
  const evidence = await make({ pckCrl: { nextUpdate, revoked: ["0b1234"] } });
  await assert.rejects(verify(evidence, ["stale-crl"]), refusal("intel/revoked"));
});

test("the first level that the platform reaches applies, and advisories of all levels are joined", async () => {
  const evidence = await make({
    tcbInfo: {
      levels: [
        { status: "UpToDate", pceSvn: 12 },
        { status: "SWHardeningNeeded", advisories: ["INTEL-SA-2"], date: "2024-03-13T00:00:00Z" },
        { status: "OutOfDate", pceSvn: 1 },
      ],
      modules: { tdx_01: [{ svn: 5, status: "UpToDate", advisories: ["INTEL-SA-1"] }] },
      evaluationDataNumber: 17,
    },
    qeIdentity: {
      levels: [{ svn: 8, status: "UpToDate", advisories: ["INTEL-SA-2", "INTEL-SA-3"] }],
    },
  });
  const { tcb } = (await verify(evidence)).claims;
  assert.equal(tcb?.status, "SWHardeningNeeded");
  assert.deepEqual(tcb.advisoryIds, ["INTEL-SA-1", "INTEL-SA-2", "INTEL-SA-3"]);
  assert.equal(tcb.tcbDate?.toISOString(), "2024-03-13T00:00:00.000Z");
  assert.equal(tcb.evaluationDataNumber, 17);
  assert.equal(tcb.expires.toISOString(), "2026-06-19T00:00:00.000Z");
});

test("an out-of-date QE or module makes the platform out of date", async () => {
  const wanted: Record<string, string> = {
    UpToDate: "OutOfDate",
    SWHardeningNeeded: "OutOfDate",
    ConfigurationNeeded: "OutOfDateConfigurationNeeded",
    ConfigurationAndSWHardeningNeeded: "OutOfDateConfigurationNeeded",
    OutOfDate: "OutOfDate",
    OutOfDateConfigurationNeeded: "OutOfDateConfigurationNeeded",
  };
  const old = [{ svn: 1, status: "OutOfDate" }];
  for (const status of TCB_STATUSES.filter((one) => one !== "Revoked")) {
    const tcbInfo = { levels: [{ status }] };
    const byQe = await verify(await make({ tcbInfo, qeIdentity: { levels: old } }));
    assert.equal(byQe.claims.tcb?.status, wanted[status], `QE over ${status}`);
    const byModule = await verify(
      await make({ tcbInfo: { ...tcbInfo, modules: { TDX_01: old } } }),
    );
    assert.equal(byModule.claims.tcb?.status, wanted[status], `module over ${status}`);
  }
});

test("a TD from before its module's update is advised to be launched again", async () => {
  const zeros = new Array(13).fill(0);
  const tcbInfo = {
    modules: {
      TDX_01: [
        { svn: 6, status: "UpToDate" },
        { svn: 2, status: "OutOfDate" },
      ],
    },
  };
  const quote = { teeTcbSvn: [2, 1, 3, ...zeros], teeTcbSvn2: [6, 1, 3, ...zeros] };
  const advised = await verify(await make({ tcbInfo, quote }));
  assert.equal(advised.claims.tcb?.status, "TDRelaunchAdvised");
  const levels = [{ status: "ConfigurationNeeded" }];
  const configured = await verify(await make({ tcbInfo: { ...tcbInfo, levels }, quote }));
  assert.equal(configured.claims.tcb?.status, "TDRelaunchAdvisedConfigurationNeeded");
  const still = await verify(
    await make({ tcbInfo, quote: { ...quote, teeTcbSvn2: [5, 1, 3, ...zeros] } }),
  );
  assert.equal(still.claims.tcb?.status, "OutOfDate");
  const oldQe = { levels: [{ svn: 1, status: "OutOfDate" }] };
  const noUse = await verify(await make({ tcbInfo, quote, qeIdentity: oldQe }));
  assert.equal(
    noUse.claims.tcb?.status,
    "OutOfDate",
    "launching again does not mend the quoting enclave",
  );
});

test("modules without a version are compared in all sixteen components and have no level of their own", async () => {
  const teeTcbSvn = [3, 0, 5, ...new Array(13).fill(0)];
  const below = {
    levels: [{ status: "UpToDate", tdxComponents: [4, 0, 5, ...new Array(13).fill(0)] }],
  };
  await assert.rejects(
    verify(await make({ quote: { teeTcbSvn }, tcbInfo: below })),
    refusal("intel/tcb-not-supported"),
  );
  const reached = { levels: [{ status: "UpToDate", tdxComponents: teeTcbSvn }], modules: {} };
  const { claims } = await verify(await make({ quote: { teeTcbSvn }, tcbInfo: reached }));
  assert.equal(claims.tcb?.moduleStatus, undefined);
});

test("octets after a quote are counted", async () => {
  const trailing = new Uint8Array(70).fill(9);
  assert.equal((await verify(await make({ quote: { trailing } }))).claims.trailingBytes, 70);
});

test("QuoteCollateralV3 JSON says the same as its parts", async () => {
  const evidence = await make();
  const collateral = parseQuoteCollateralV3(
    quoteCollateralV3(evidence.collateral).replace(/"pck_crl_issuer_chain":"",/, ""),
  );
  assert.equal((await verify({ ...evidence, collateral })).claims.tcb?.status, "UpToDate");
});

test("a cache that saw good evidence accepts no bad one", async () => {
  const cache = new VerifyCache();
  const good = await make({ version: 3, body: "sgx" });
  await verify(good, [], cache);
  for (const { make: makeBad, reason, body } of await badIntelEvidence(intel)) {
    if (body !== "sgx") continue;
    const bad = await makeBad();
    await assert.rejects(
      verifySgx(bad.quote, bad.collateral, { now: INTEL_NOW, roots: bad.roots, cache }),
      refusal(reason),
    );
  }
  assert.equal(parseQuote(good.quote).version, 3);
});
