/** The evidence commands as a user runs them, over made-up evidence of every kind and over recorded evidence. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { before, type TestContext, test } from "node:test";
import { encodeCmwCbor } from "@donjon/attest/envelope";
import { badEvidence, makeEvidence, makeFakeAmd } from "@donjon/testkit/amd";
import {
  makeEcParty,
  makeFakeIntel,
  makeIntelEvidence,
  pem,
  quoteCollateralV3,
} from "@donjon/testkit/intel";
import { makeFakeNitro, makeNitroDocument } from "@donjon/testkit/nitro";
import { createFiles, runCommand } from "./command.ts";

const VECTORS =
  process.env["DONJON_VECTORS"] ?? join(import.meta.dirname, "../../../../shared/vectors");
const skip = existsSync(join(VECTORS, "INDEX.json"))
  ? false
  : `no vectors at ${VECTORS}; set DONJON_VECTORS to run this test`;
if (skip) console.error(`SKIPPED: ${skip}`);

const AT = ["--at", "2026-06-01T01:00:00Z"];

type Files = Readonly<Record<string, string | Uint8Array>>;
let files: Files = {};

before(async () => {
  const [amd, intel, nitro] = await Promise.all([
    makeFakeAmd("Turin"),
    makeFakeIntel(),
    makeFakeNitro(),
  ]);
  const snp = await makeEvidence(amd, { version: 5, signer: "vcek" });
  const debug = badEvidence(amd).find(({ name }) => name === "signature of zeros")!;
  const tdx = await makeIntelEvidence(intel, { version: 4, body: "td-1.0" });
  files = {
    "report.bin": snp.report,
    "report.hex": Buffer.from(snp.report).toString("hex"),
    "zeros.bin": (await debug.make()).report,
    "vcek.der": snp.certificates[0]!,
    "chain.pem": `${pem(amd.ask.certificate)}${pem(amd.ark.certificate)}`,
    "crl.der": snp.crls[0]!,
    "ark.pem": pem(amd.ark.certificate),
    "quote.bin": tdx.quote,
    "collateral.json": quoteCollateralV3(tdx.collateral),
    "pcs/root-ca-crl.der": tdx.collateral.rootCrl!,
    "pcs/pck-crl.hex": Buffer.from(tdx.collateral.pckCrl!).toString("hex"),
    "pcs/tcb.json": signed("tcbInfo", tdx.collateral.tcbInfo!),
    "pcs/tcb-issuer-chain.pem": tdx.collateral.tcbInfoIssuerChain!.map(pem).join(""),
    "pcs/qe-identity.json": signed("enclaveIdentity", tdx.collateral.qeIdentity!),
    "pcs/qe-identity-issuer-chain.pem": tdx.collateral.qeIdentityIssuerChain!.map(pem).join(""),
    "intel-root.pem": pem(intel.root.certificate),
    "document.cbor": await makeNitroDocument(nitro),
    "nitro-root.pem": pem(nitro.root.certificate),
    "policy.toml": `report_data = "any"\n[snp]\nmeasurement = "any"\n[tdx]\nmr_td = "any"\n`,
    "pinned.toml": `report_data = "any"\n[snp]\nmeasurement = "${"ab".repeat(48)}"\n`,
    "wrong.toml": "[snp]\nmeasurment = 1\n",
  };
});

function signed(name: string, { text, signature }: { text: string; signature: Uint8Array }) {
  return `{"${name}":${text},"signature":"${Buffer.from(signature).toString("hex")}"}`;
}

async function run(t: TestContext, ...args: string[]) {
  const cwd = createFiles(t, files);
  const { code, stdout, stderr } = await runCommand(args, { cwd });
  return { code, stdout: `${stdout}`, stderr, cwd };
}

const SNP = ["-e", "vcek.der", "-e", "crl.der", "--insecure-root", "ark.pem", "-e", "chain.pem"];
const TDX = ["--insecure-root", "intel-root.pem"];

const ACCEPTED: readonly (readonly [kind: string, file: string, ...args: string[]])[] = [
  ["snp", "report.bin", ...SNP],
  ["snp", "report.hex", ...SNP, "--policy", "policy.toml"],
  ["tdx", "quote.bin", ...TDX, "-c", "collateral.json"],
  ["tdx", "quote.bin", ...TDX, "-c", "pcs", "--policy", "policy.toml"],
  ["nitro", "document.cbor", "--insecure-root", "nitro-root.pem"],
];

for (const [kind, file, ...args] of ACCEPTED) {
  test(`verify accepts ${file} with ${args.join(" ")}, as text and as JSON`, async (t) => {
    const text = await run(t, "verify", file, ...AT, ...args);
    assert.equal(text.code, 0, text.stdout + text.stderr);
    assert.match(text.stdout, new RegExp(`^INSECURE ACCEPTED {2}${kind} evidence, genuine by`));
    for (const line of text.stdout.trimEnd().split("\n")) assert.match(line, /^INSECURE/);
    const { stdout, code } = await run(t, "verify", file, ...AT, ...args, "--json");
    assert.equal(code, 0);
    const json = JSON.parse(stdout);
    assert.deepEqual([json.kind, json.verdict, json.anchor.origin], [kind, "accepted", "caller"]);
    assert.ok(json.claims !== null && json.checks.length > 10);
    for (const check of json.checks) {
      assert.deepEqual(
        [typeof check.code, typeof check.wanted, typeof check.found, check.ok],
        ["string", "string", "string", true],
      );
    }
  });
}

const REFUSED: readonly (readonly [reason: string, file: string, ...args: string[]])[] = [
  ["snp/root", "report.bin", "-e", "vcek.der", "-e", "crl.der", "-e", "chain.pem"],
  ["snp/certificate-missing", "report.bin", "--insecure-root", "ark.pem"],
  ["snp/signature", "zeros.bin", ...SNP],
  ["policy/measurement", "report.bin", ...SNP, "--policy", "pinned.toml"],
  ["policy/kind", "quote.bin", ...TDX, "-c", "collateral.json", "--policy", "pinned.toml"],
  ["intel/pck-chain", "quote.bin", "-c", "collateral.json"],
  ["intel/root-crl-missing", "quote.bin", ...TDX],
  ["nitro/root", "document.cbor"],
  ["envelope/unknown", "policy.toml"],
  ["envelope/malformed", "report.bin", "-e", "policy.toml"],
];

for (const [reason, file, ...args] of REFUSED) {
  test(`verify refuses ${file} with ${args.join(" ")} by ${reason}`, async (t) => {
    const text = await run(t, "verify", file, ...AT, ...args);
    assert.equal(text.code, 120, text.stderr);
    assert.match(text.stdout, /^(INSECURE )?REFUSED/);
    assert.ok(text.stdout.includes(`${reason}: `), text.stdout);
    const { stdout, code } = await run(t, "verify", file, ...AT, ...args, "--json");
    assert.equal(code, 120);
    const { verdict, checks } = JSON.parse(stdout);
    assert.equal(verdict, "refused");
    assert.ok(
      checks.some((check: { code: string; ok: boolean }) => check.code === reason && !check.ok),
    );
  });
}

const MISTAKES: readonly (readonly [message: RegExp, ...args: string[]])[] = [
  [/missing required argument/, "verify"],
  [/'none' cannot be read/, "verify", "none"],
  [/'none' cannot be read/, "verify", "report.bin", "-e", "none"],
  [/no check 'everything' to allow; there are missing-crl/, "verify", "x", "--allow", "everything"],
  [/'today' is no time/, "verify", "report.bin", "--at", "today"],
  [
    /wrong\.toml: .*unknown key 'snp\.measurment'/,
    "verify",
    "report.bin",
    "--policy",
    "wrong.toml",
  ],
  [/takes --endorsement, not/, "verify", "report.bin", "-c", "collateral.json"],
  [/takes no endorsements/, "verify", "document.cbor", "-e", "vcek.der"],
  [/wanted a root named/, "verify", "report.bin", "--insecure-root", "vcek.der"],
  [/found 0 pieces of evidence/, "bundle", "vcek.der", "-o", "out"],
  [/found 2 pieces of evidence/, "bundle", "report.bin", "quote.bin", "-o", "out"],
  [/required option '-o, --output/, "bundle", "report.bin"],
];

for (const [message, ...args] of MISTAKES) {
  test(`${args.join(" ")} is a mistake of the caller: exit 2`, async (t) => {
    const { code, stderr, stdout } = await run(t, ...args);
    assert.equal(code, 2, stdout + stderr);
    assert.match(stderr, message);
    assert.equal(stdout, "");
  });
}

test("what is let pass by name is said, and a CRL that is there is still checked", async (t) => {
  const args = ["-e", "vcek.der", "--insecure-root", "ark.pem", "-e", "chain.pem"];
  const without = await run(t, "verify", "report.bin", ...AT, ...args, "--allow", "missing-crl");
  assert.equal(without.code, 0);
  assert.match(without.stdout, /allowed +snp\/crl-missing \(missing-crl\)/);
});

test("a certificate with a CMW is opened, and what is not checked is said", async (t) => {
  const { certificate } = await makeCmwCertificate(files["report.bin"] as Uint8Array);
  const cwd = createFiles(t, { ...files, "keep.pem": pem(certificate) });
  const { code, stdout } = await runCommand(["verify", "keep.pem", ...AT, ...SNP], { cwd });
  assert.equal(code, 0, `${stdout}`);
  assert.match(`${stdout}`, /note +nothing says how this evidence binds the certificate's key/);
});

function makeCmwCertificate(report: Uint8Array) {
  const cmw = encodeCmwCbor({
    kind: "record",
    type: "application/octet-stream",
    value: report,
    indicator: 4,
  });
  const length = Uint8Array.of(0x04, 0x82, cmw.length >> 8, cmw.length & 0xff);
  const extension = ["1.3.6.1.5.5.7.1.35", Uint8Array.from([...length, ...cmw])] as const;
  return makeEcParty({ name: "keep", serialNumber: "01", curve: "P-256", extensions: [extension] });
}

test("explain shows claims as unproven until they are proven, and decides nothing", async (t) => {
  const alone = await run(t, "explain", "report.bin", ...AT);
  assert.equal(alone.code, 0);
  assert.match(alone.stdout, /nothing here is proven/);
  assert.match(alone.stdout, /FAIL +snp\/certificate-missing/);
  assert.match(alone.stdout, /measurement +[0-9a-f]{96}/);
  const whole = await run(t, "explain", "quote.bin", ...AT, ...TDX, "-c", "pcs");
  assert.match(whole.stdout, /Claims, proven/);
  assert.match(whole.stdout, /ok +intel\/quote-signature/);
  const none = await run(t, "explain", "policy.toml");
  assert.equal(none.code, 120);
});

test("- is standard input, for verify, explain and diff", async (t) => {
  const cwd = createFiles(t, files);
  const input = readFileSync(join(cwd, "report.bin"));
  const verified = await runCommand(["verify", "-", ...SNP, ...AT], { cwd, input });
  assert.equal(verified.code, 0, `${verified.stdout}${verified.stderr}`);
  const same = await runCommand(["diff", "report.hex", "-"], { cwd, input });
  assert.deepEqual([same.code, `${same.stdout}`], [0, "no claim differs\n"]);
  const empty = await runCommand(["explain", "-"], { cwd });
  assert.equal(empty.code, 120);
  assert.match(empty.stderr, /found 0 octets/);
});

test("diff says which claims differ, with the exit codes of diff", async (t) => {
  const same = await run(t, "diff", "report.bin", "report.hex");
  assert.deepEqual([same.code, same.stdout], [0, "no claim differs\n"]);
  const none = await run(t, "diff", "report.bin", "policy.toml");
  assert.equal(none.code, 120);
  assert.match(none.stderr, /^donjon: 'policy\.toml': .*no SNP report/);
  const cwd = createFiles(t, files);
  const other = new Uint8Array(files["report.bin"] as Uint8Array);
  other[0x90]! ^= 1;
  const root = createFiles(t, { "other.bin": other });
  const { code, stdout } = await runCommand(
    ["diff", "report.bin", join(root, "other.bin"), "--json"],
    { cwd },
  );
  assert.equal(code, 1);
  assert.deepEqual(
    JSON.parse(`${stdout}`).changes.map(({ path }: { path: string }) => path),
    ["measurement"],
  );
});

test("bundle writes what verify asks again with the same verdict, and overwrites nothing", async (t) => {
  const cwd = createFiles(t, files);
  const insecure = ["--insecure-root", "ark.pem"];
  const make = ["bundle", "report.bin", "vcek.der", "crl.der", "chain.pem", ...insecure, ...AT];
  const made = await runCommand([...make, "-o", "a.donjon"], { cwd });
  assert.equal(made.code, 0, made.stderr);
  const again = await runCommand(["verify", "a.donjon", ...insecure], { cwd });
  assert.equal(again.code, 0, `${again.stdout}`);
  const real = await runCommand(["verify", "a.donjon"], { cwd });
  assert.equal(real.code, 120, "a bundle brings no root");
  const twice = await runCommand([...make, "-o", "a.donjon"], { cwd });
  assert.equal(twice.code, 2);
  assert.match(twice.stderr, /is there already/);
  const refused = await runCommand([...make, "--policy", "pinned.toml", "-o", "b.donjon"], { cwd });
  assert.equal(refused.code, 120);
  const same = await runCommand(["verify", "b.donjon", ...insecure, "--json"], { cwd });
  assert.deepEqual([same.code, JSON.parse(`${same.stdout}`).verdict], [120, "refused"]);
  const strict = await runCommand(["verify", "a.donjon", ...insecure, "--policy", "pinned.toml"], {
    cwd,
  });
  assert.equal(strict.code, 120, "the reader's policy counts");
});

const SIGNATURES = ["missing-crl", "missing-tcb-info", "missing-qe-identity"].flatMap((name) => [
  "--allow",
  name,
]);
const T = "tee-attestation-verification";
const L = "lunal-attestation-rs";

interface Recorded {
  readonly file: string;
  readonly at: string;
  readonly args?: readonly string[];
  /** Options whose values are files among the vectors. */
  readonly with?: readonly string[];
  /** Absent: accepted without a policy. */
  readonly reason?: string;
}

const NO_CRL = ["--allow", "missing-crl"];
const RECORDED: readonly Recorded[] = [
  ...["milan", "genoa", "turin"].map((name) => ({
    file: `${T}/${name}_attestation_report.bin`,
    at: "2026-06-01T00:00:00Z",
    with: ["-e", `${T}/${name}_vcek.pem`],
    args: NO_CRL,
  })),
  {
    file: "virtee-sev/report_milan.hex",
    at: "2026-06-01T00:00:00Z",
    with: ["-e", "virtee-sev/vcek_milan.der"],
    args: NO_CRL,
  },
  {
    file: `${L}/snp/test-vlek-report.bin`,
    at: "2025-06-01T00:00:00Z",
    with: ["-e", `${L}/snp/test-vlek.der`],
    args: NO_CRL,
    reason: "policy/vmpl",
  },
  { file: `${L}/snp/live-evidence-genoa.json`, at: "2026-06-01T00:00:00Z", args: NO_CRL },
  {
    file: `${L}/snp/test-report.bin`,
    at: "2026-06-01T00:00:00Z",
    with: ["-e", `${L}/snp/test-vcek-invalid-new.der`],
    args: NO_CRL,
    reason: "snp/certificate-signature",
  },
  {
    file: `${L}/az_snp/hcl-report.bin`,
    at: "2026-06-01T00:00:00Z",
    with: ["-e", `${L}/az_snp/vcek.pem`],
    args: NO_CRL,
    reason: "policy/provisional",
  },
  {
    file: `${L}/az_snp/evidence-v1.json`,
    at: "2026-06-01T00:00:00Z",
    args: NO_CRL,
    reason: "policy/provisional",
  },
  {
    file: "go-sev-guest/attestation.bin",
    at: "2022-10-01T00:00:00Z",
    with: ["-e", "go-sev-guest/vcek.testcer", "-e", "steward/amd-milan-2022-05-09.crl.der"],
    reason: "policy/debug",
  },
  {
    file: "dcap-qvl/tdx_quote",
    at: "2025-07-01T00:00:00Z",
    with: ["-c", "dcap-qvl/tdx_quote_collateral.json"],
  },
  {
    file: "dcap-qvl/sgx_quote",
    at: "2025-07-01T00:00:00Z",
    with: ["-c", "dcap-qvl/sgx_quote_collateral.json"],
    reason: "policy/tcb-status",
  },
  {
    file: "dcap-qvl/tdx-quote.hex",
    at: "2025-07-01T00:00:00Z",
    args: SIGNATURES,
    reason: "policy/tcb-status",
  },
  {
    file: "teekit/tdx-v4-azure",
    at: "2025-09-30T00:00:00Z",
    args: SIGNATURES,
    reason: "policy/tcb-status",
  },
  {
    file: "teekit/tdx-v4-gcp.json",
    at: "2025-09-30T00:00:00Z",
    args: SIGNATURES,
    reason: "policy/tcb-status",
  },
  {
    file: "interoperable-ra-tls/gramine-cert.pem",
    at: "2024-06-01T00:00:00Z",
    args: SIGNATURES,
    reason: "policy/tcb-status",
  },
  {
    file: "interoperable-ra-tls/intel-sgxsdk-cert.pem",
    at: "2024-06-01T00:00:00Z",
    args: SIGNATURES,
    reason: "policy/debug",
  },
  {
    file: "steward/icelake.multi.xeon.csr.der",
    at: "2023-02-01T00:00:00Z",
    args: ["--allow", "missing-qe-identity"],
    reason: "policy/tcb-status",
  },
  {
    file: "evervault-attestation-doc-validation/valid-attestation-doc-base64",
    at: "2023-09-18T15:30:00Z",
    reason: "policy/debug",
  },
  {
    file: "rust-sgx/nitro/tampered_signature.bin",
    at: "2021-09-09T11:00:00Z",
    reason: "nitro/signature",
  },
];

for (const { file, at, args = [], with: beside = [], reason } of RECORDED) {
  test(`verify of ${file}: ${reason ?? "accepted"}`, { skip }, async () => {
    const paths = beside.map((word) => (word.startsWith("-") ? word : join(VECTORS, word)));
    const command = ["verify", join(VECTORS, file), "--at", at, ...paths, ...args, "--json"];
    const { code, stdout, stderr } = await runCommand(command);
    assert.equal(code, reason === undefined ? 0 : 120, `${stdout}${stderr}`);
    const failed = JSON.parse(`${stdout}`).checks.filter(({ ok }: { ok: boolean }) => !ok);
    const codes = failed.map((check: { code: string }) => check.code);
    if (reason === undefined) assert.deepEqual(codes, []);
    else assert.ok(codes.includes(reason), codes.join(", "));
  });
}

test("the part of the command that verifies is loaded by no other command", () => {
  const part = (name: string) =>
    readFileSync(join(import.meta.dirname, "../dist", `${name}.cjs`), "utf8");
  assert.ok(part("commands").includes("./evidence.cjs"));
  for (const name of ["donjon", "run", "keeps", "commands"])
    assert.ok(!part(name).includes("snp/tcb-mismatch"), name);
  // Nor does a run load the definitions of other commands.
  assert.ok(part("commands").includes("--mr-enclave"));
  assert.ok(!part("run").includes("--mr-enclave"));
});
