/** Policies over TDX, SGX and Nitro claims, and bundles of each kind. */
import assert from "node:assert/strict";
import { before, test } from "node:test";
import {
  type FakeIntel,
  INTEL_NOW,
  type IntelEvidenceOptions,
  makeFakeIntel,
  makeIntelEvidence,
} from "@donjon/testkit/intel";
import {
  type DocumentOptions,
  type FakeNitro,
  makeFakeNitro,
  makeNitroDocument,
  NITRO_NOW,
} from "@donjon/testkit/nitro";
import { appraise, type Policy, type PolicyReason } from "../../src/appraise.ts";
import { encodeBundle, makeBundle, parseBundle, verifyBundle } from "../../src/envelope.ts";
import type { EvidenceKind, Verified } from "../../src/verified.ts";
import { type CallerRoots, type EvidenceSet, verifyEvidence } from "../../src/verify.ts";

let intel: FakeIntel;
let nitro: FakeNitro;
before(async () => {
  [intel, nitro] = await Promise.all([makeFakeIntel(), makeFakeNitro()]);
});

interface Made {
  readonly set: EvidenceSet;
  readonly now: Date;
  readonly roots: CallerRoots;
}

async function quote(
  kind: "tdx" | "sgx",
  options: Partial<IntelEvidenceOptions> = {},
): Promise<Made> {
  const body = kind === "tdx" ? "td-1.5" : "sgx";
  const evidence = await makeIntelEvidence(intel, {
    version: kind === "tdx" ? 5 : 3,
    body,
    ...options,
  });
  const set = { kind, evidence: evidence.quote, collateral: evidence.collateral };
  return { set, now: INTEL_NOW, roots: { intel: evidence.roots } };
}

async function document(options: DocumentOptions = {}): Promise<Made> {
  const evidence = await makeNitroDocument(nitro, options);
  return { set: { kind: "nitro", evidence }, now: NITRO_NOW, roots: { nitro: nitro.roots } };
}

function verify({ set, now, roots }: Made): Promise<Verified<EvidenceKind, unknown>> {
  return verifyEvidence(set, { now, roots });
}

async function failed(made: Made, policy: Policy): Promise<readonly string[]> {
  return appraise(await verify(made), policy)
    .checks.filter(({ ok }) => !ok)
    .map(({ code }) => code);
}

const REPORT_DATA = ["42".repeat(64)];
const TDX: Policy = { reportData: REPORT_DATA, tdx: { mrTd: ["44".repeat(48)], allowVe: true } };
const SGX: Policy = { reportData: REPORT_DATA, sgx: { mrEnclave: ["11".repeat(32)] } };
const NITRO: Policy = { nitro: { pcr0: ["01".repeat(48)], userData: ["010203"] } };
const tdx = (section: Policy["tdx"]): Policy => ({ ...TDX, tdx: { ...TDX.tdx, ...section } });
const sgx = (section: Policy["sgx"]): Policy => ({ ...SGX, sgx: { ...SGX.sgx, ...section } });
const aws = (section: Policy["nitro"]): Policy => ({ nitro: { ...NITRO.nitro, ...section } });

/** TD attributes at 120, ATTRIBUTES of an enclave at 48. */
const debugTd = () => quote("tdx", { quote: { bodyPatch: [[120, 1]] } });
const outOfDate: Partial<IntelEvidenceOptions> = {
  tcbInfo: { levels: [{ status: "OutOfDate", advisories: ["INTEL-SA-00001"] }] },
};

interface Case {
  readonly name: string;
  readonly code: PolicyReason;
  readonly make: () => Promise<Made>;
  readonly refused: Policy;
  readonly accepted: Policy;
}

const CASES: readonly Case[] = [
  {
    name: "MRTD",
    code: "policy/measurement",
    make: () => quote("tdx"),
    refused: tdx({ mrTd: ["45".repeat(48)] }),
    accepted: TDX,
  },
  {
    name: "RTMR3",
    code: "policy/measurement",
    make: () => quote("tdx"),
    refused: tdx({ rtmr3: ["45".repeat(48)] }),
    accepted: tdx({ rtmr3: ["00".repeat(48)] }),
  },
  {
    name: "MRSEAM",
    code: "policy/firmware",
    make: () => quote("tdx"),
    refused: tdx({ mrSeam: ["45".repeat(48)] }),
    accepted: tdx({ mrSeam: ["33".repeat(48)] }),
  },
  {
    name: "report data of a TD",
    code: "policy/report-data",
    make: () => quote("tdx"),
    refused: { ...TDX, reportData: ["43".repeat(64)] },
    accepted: { ...TDX, reportData: "any" },
  },
  {
    name: "a debug TD",
    code: "policy/debug",
    make: debugTd,
    refused: TDX,
    accepted: tdx({ allowDebug: true }),
  },
  {
    name: "a TD that may migrate",
    code: "policy/migration",
    make: () => quote("tdx", { quote: { bodyPatch: [[123, 0x20]] } }),
    refused: TDX,
    accepted: tdx({ allowMigration: true }),
  },
  {
    name: "a TD without SEPT_VE_DISABLE",
    code: "policy/features",
    make: () => quote("tdx", { quote: { bodyPatch: [[123, 0]] } }),
    refused: tdx({ allowVe: false }),
    accepted: TDX,
  },
  {
    name: "required TD attributes",
    code: "policy/features",
    make: () => quote("tdx", { quote: { bodyPatch: [[123, 0x10]] } }),
    refused: tdx({ requireAttributes: 1n << 30n }),
    accepted: tdx({ requireAttributes: 1n << 28n, allowVe: false }),
  },
  {
    name: "a TCB out of date",
    code: "policy/tcb-status",
    make: () => quote("tdx", outOfDate),
    refused: TDX,
    accepted: tdx({ tcbStatus: ["UpToDate", "OutOfDate"] }),
  },
  {
    name: "an advisory",
    code: "policy/advisories",
    make: () => quote("sgx", outOfDate),
    refused: sgx({ tcbStatus: ["OutOfDate"], advisories: ["INTEL-SA-00002"] }),
    accepted: sgx({ tcbStatus: ["OutOfDate"], advisories: ["INTEL-SA-00001"] }),
  },
  {
    name: "the evaluation data number",
    code: "policy/evaluation",
    make: () => quote("sgx"),
    refused: sgx({ minimumEvaluationDataNumber: 10_000 }),
    accepted: sgx({ minimumEvaluationDataNumber: 1 }),
  },
  {
    name: "the platform family",
    code: "policy/platform",
    make: () => quote("sgx"),
    refused: sgx({ fmspc: ["00".repeat(6)] }),
    accepted: sgx({ fmspc: ["5a806f000000"] }),
  },
  {
    name: "octets after a quote",
    code: "policy/features",
    make: () => quote("sgx", { quote: { trailing: new Uint8Array(3) } }),
    refused: sgx({ allowTrailingBytes: false }),
    accepted: SGX,
  },
  {
    name: "MRENCLAVE",
    code: "policy/measurement",
    make: () => quote("sgx"),
    refused: sgx({ mrEnclave: ["12".repeat(32)] }),
    accepted: sgx({ mrEnclave: "any" }),
  },
  {
    name: "MRSIGNER",
    code: "policy/signer",
    make: () => quote("sgx"),
    refused: sgx({ mrSigner: ["12".repeat(32)] }),
    accepted: sgx({ mrSigner: ["22".repeat(32)] }),
  },
  {
    name: "ISVSVN",
    code: "policy/svn",
    make: () => quote("sgx", { quote: { bodyPatch: [[258, 4, 0]] } }),
    refused: sgx({ minimumIsvSvn: 5 }),
    accepted: sgx({ minimumIsvSvn: 4 }),
  },
  {
    name: "a debug enclave",
    code: "policy/debug",
    make: () => quote("sgx", { quote: { bodyPatch: [[48, 2]] } }),
    refused: SGX,
    accepted: sgx({ allowDebug: true }),
  },
  {
    name: "PCR0",
    code: "policy/measurement",
    make: document,
    refused: aws({ pcr0: ["02".repeat(48)] }),
    accepted: NITRO,
  },
  {
    name: "PCR8",
    code: "policy/signer",
    make: document,
    refused: aws({ pcr8: ["02".repeat(48)] }),
    accepted: aws({ pcr8: ["09".repeat(48)] }),
  },
  {
    name: "user data",
    code: "policy/report-data",
    make: document,
    refused: aws({ userData: ["010204"] }),
    accepted: aws({ userData: ["01", "010203"] }),
  },
  {
    name: "a nonce that is not there",
    code: "policy/report-data",
    make: document,
    refused: aws({ nonce: ["00"] }),
    accepted: NITRO,
  },
  {
    name: "nothing that binds",
    code: "policy/report-data",
    make: document,
    refused: { nitro: { pcr0: "any" } },
    accepted: { reportData: "any", nitro: { pcr0: "any" } },
  },
];

for (const { name, code, make, refused, accepted } of CASES) {
  test(`the policy decides on ${name} with ${code}`, async () => {
    const made = await make();
    const found = await failed(made, refused);
    assert.ok(found.length > 0 && found.every((one) => one === code), found.join(", "));
    assert.deepEqual(await failed(made, accepted), []);
  });
}

test("a bundle of each kind gives the same verdict after writing and reading", async () => {
  const made = [
    [await quote("tdx"), TDX],
    [await quote("sgx", { chain: "ppid" }), SGX],
    [await document(), NITRO],
  ] as const;
  for (const [{ set, now, roots }, policy] of made) {
    const text = encodeBundle(await makeBundle(set, policy, { now, roots }));
    const again = await verifyBundle(parseBundle(text), { roots });
    assert.equal(again.verdict, "accepted", set.kind);
    assert.equal(encodeBundle(parseBundle(text)), text);
  }
});
