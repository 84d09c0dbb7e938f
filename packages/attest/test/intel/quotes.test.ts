/** Every SGX and TDX quote of the vectors, with its expected outcome. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCertificate } from "@donjon/core/x509";
import type { IntelCollateral } from "../../src/intel/collateral.ts";
import { parsePcsAnswers } from "../../src/intel/collateral.ts";
import { type CertificationData, parseQuote, type QuoteBodyKind } from "../../src/intel/quote.ts";
import type { TcbStatus } from "../../src/intel/tcb-status.ts";
import type { IntelRelaxation, IntelVerifyOptions } from "../../src/intel/verify-quote.ts";
import type { ReasonCode } from "../../src/reason.ts";
import { verifySgx } from "../../src/sgx/verify.ts";
import { verifyTdx } from "../../src/tdx/verify.ts";
import { refusal } from "../refusal.ts";
import {
  readCertificates,
  readVector,
  readVectorText,
  skipVectors,
  warnSkipped,
} from "../vectors.ts";
import { collateralFrom, LUNAL, quoteCollateral } from "./collateral.ts";

interface Case {
  readonly file: string;
  readonly at: string;
  /** Default: none, as for quotes of which only the signatures are known to be good. */
  readonly collateral?: () => IntelCollateral;
  readonly allow?: readonly IntelRelaxation[];
  readonly status?: TcbStatus;
  readonly advisories?: readonly string[] | number;
  readonly debug?: boolean;
  readonly trailing?: number;
  readonly body?: QuoteBodyKind;
  readonly fmspc?: string;
  readonly reason?: ReasonCode;
  /** For Intel's synthetic set: where its root certificate is. */
  readonly root?: string;
}

const SIGNATURES: readonly IntelRelaxation[] = [
  "missing-crl",
  "missing-tcb-info",
  "missing-qe-identity",
];
const TEEKIT = "teekit/tcbinfo/tcbInfo";
const SYNTHETIC = "intel-dcap-qvl";

const CASES: readonly Case[] = [
  {
    file: "dcap-qvl/sgx_quote",
    at: "2025-07-01T00:00:00Z",
    collateral: () => quoteCollateral("dcap-qvl/sgx_quote_collateral.json"),
    status: "ConfigurationAndSWHardeningNeeded",
    advisories: ["INTEL-SA-00289", "INTEL-SA-00615"],
  },
  {
    file: "dcap-qvl/tdx_quote",
    at: "2025-07-01T00:00:00Z",
    collateral: () => quoteCollateral("dcap-qvl/tdx_quote_collateral.json"),
    status: "UpToDate",
    advisories: [],
    trailing: 70,
  },
  {
    file: "dcap-qvl/tdx-quote.hex",
    at: "2025-07-01T00:00:00Z",
    fmspc: "b0c06f000000",
    trailing: 70,
  },
  { file: "dstack/tdx_quote", at: "2025-07-01T00:00:00Z", fmspc: "b0c06f000000", trailing: 70 },
  {
    file: "automata-dcap-attestation/quotev3.hex",
    at: "2025-08-20T00:00:00Z",
    collateral: () =>
      collateralFrom({
        tcbInfo: "automata-dcap-attestation/0825/sgx_tcbinfov3_00606a000000.json",
        qeIdentity: "automata-dcap-attestation/0825/sgx_qeidentity_v4.json",
        pckCrl: "automata-dcap-attestation/0825/platform_crl.der",
        rootCrl: 2025,
      }),
    status: "SWHardeningNeeded",
    advisories: ["INTEL-SA-00615"],
  },
  {
    // No QE identity of the time is among the vectors; the one of a month later is the same enclave.
    file: "go-tdx-guest/quote_v5_sample.dat",
    at: "2026-02-10T00:00:00Z",
    collateral: () =>
      collateralFrom({
        tcbInfo: "go-tdx-guest/sample_tcbinfo_response_v5",
        qeIdentity: `${LUNAL}/td_qe_identity.json`,
        pckCrl: `${LUNAL}/pck_crl_platform.der`,
        rootCrl: 2025,
      }),
    allow: ["stale-qe-identity", "stale-crl"],
    status: "UpToDate",
    body: "td-1.5",
  },
  { file: "go-tdx-guest/ccel/cos-113-tdx-quote.dat", at: "2025-07-01T00:00:00Z", trailing: 3065 },
  {
    file: "lunal-attestation-rs/tdx/tdx_quote_4.dat",
    at: "2026-03-20T00:00:00Z",
    collateral: () =>
      collateralFrom({
        tcbInfo: `${LUNAL}/tcb_info_50806f000000.json`,
        qeIdentity: `${LUNAL}/td_qe_identity.json`,
        pckCrl: `${LUNAL}/pck_crl_platform.der`,
        rootCrl: 2026,
      }),
    status: "OutOfDate",
    advisories: 11,
    debug: true,
  },
  {
    file: "lunal-attestation-rs/tdx/tdx_quote_5.dat",
    at: "2026-03-20T00:00:00Z",
    collateral: () =>
      collateralFrom({
        tcbInfo: `${LUNAL}/tcb_info_90c06f000000.json`,
        qeIdentity: `${LUNAL}/td_qe_identity.json`,
        pckCrl: `${LUNAL}/pck_crl_platform.der`,
        rootCrl: 2026,
      }),
    reason: "intel/tcb-not-supported",
  },
  { file: "lunal-attestation-rs/tdx/tdx_quote_5.dat", at: "2026-03-20T00:00:00Z", body: "td-1.5" },
  {
    file: "teekit/sgx-chinenyeokafor.dat",
    at: "2025-09-29T00:00:00Z",
    collateral: () => collateralFrom({ tcbInfo: `${TEEKIT}-sgx-90c06f000000.json`, compact: true }),
    allow: ["missing-crl", "missing-qe-identity"],
    status: "UpToDate",
  },
  {
    // The file was indented by its source, and what is signed is the text, not what it means.
    file: "teekit/sgx-chinenyeokafor.dat",
    at: "2025-09-29T00:00:00Z",
    collateral: () => collateralFrom({ tcbInfo: `${TEEKIT}-sgx-90c06f000000.json` }),
    allow: ["missing-crl", "missing-qe-identity"],
    reason: "intel/tcb-info-signature",
  },
  {
    file: "teekit/sgx-tlsn-quote9.dat",
    at: "2025-09-29T00:00:00Z",
    collateral: () => collateralFrom({ tcbInfo: `${TEEKIT}-sgx-00906ed50000.json` }),
    allow: ["missing-crl", "missing-qe-identity"],
    status: "SWHardeningNeeded",
    advisories: ["INTEL-SA-00334", "INTEL-SA-00615"],
  },
  { file: "teekit/tdx-v4-gcp.json", at: "2025-09-30T00:00:00Z", trailing: 3065 },
  { file: "teekit/tdx-v4-azure", at: "2025-09-30T00:00:00Z", trailing: 70, fmspc: "00806f050000" },
  { file: "openenclave/quotes/tdx_quote.bin", at: "2024-06-01T00:00:00Z", fmspc: "50806f000000" },
  {
    file: "rust-sgx/pcs/quote.bin",
    at: "2021-01-01T00:00:00Z",
    fmspc: "00906ea10000",
    debug: true,
  },
  {
    file: `${SYNTHETIC}/quote.dat`,
    at: "2024-01-01T00:00:00Z",
    collateral: () => synthetic(SYNTHETIC),
    root: `${SYNTHETIC}/trustedRootCaCert.pem`,
    status: "UpToDate",
  },
  {
    file: `${SYNTHETIC}/tdx/quote.dat`,
    at: "2024-01-01T00:00:00Z",
    root: `${SYNTHETIC}/tdx/trustedRootCaCert.pem`,
  },
  {
    // Its security versions are random numbers of 16 bits, where Intel defines octets; no level could match.
    file: `${SYNTHETIC}/tdx/quote.dat`,
    at: "2024-01-01T00:00:00Z",
    collateral: () => synthetic(`${SYNTHETIC}/tdx`),
    root: `${SYNTHETIC}/tdx/trustedRootCaCert.pem`,
    reason: "intel/tcb-info-malformed",
  },
  { file: `${SYNTHETIC}/quote.dat`, at: "2024-01-01T00:00:00Z", reason: "intel/pck-missing" },
  { file: `${SYNTHETIC}/tdx/quote.dat`, at: "2024-01-01T00:00:00Z", reason: "intel/pck-chain" },
];

function synthetic(folder: string): IntelCollateral {
  const [pck, signing] = [`${folder}/pckSignChain.pem`, `${folder}/tcbSignChain.pem`].map(
    readChain,
  );
  return {
    ...parsePcsAnswers({
      rootCrl: readVector(`${folder}/rootCaCrl.der`),
      pckCrl: readVector(`${folder}/intermediateCaCrl.der`),
      tcbInfo: readVectorText(`${folder}/tcbInfo.json`),
      qeIdentity: readVectorText(`${folder}/qeIdentity.json`),
    }),
    tcbInfoIssuerChain: signing!,
    qeIdentityIssuerChain: signing!,
    pckChain: [...readCertificates(`${folder}/pckCert.pem`), ...pck!],
  };
}

/** Intel's sample files put the root first. */
function readChain(path: string): readonly Uint8Array[] {
  const isRoot = (der: Uint8Array) =>
    parseCertificate(der).subject.commonName === "Intel SGX Root CA";
  return [...readCertificates(path)].sort((a, b) => Number(isRoot(a)) - Number(isRoot(b)));
}

function readQuote(file: string): Uint8Array {
  if (file.endsWith(".hex"))
    return new Uint8Array(Buffer.from(readVectorText(file).trim().replace(/^0x/, ""), "hex"));
  if (file === "teekit/tdx-v4-gcp.json") {
    return new Uint8Array(Buffer.from(JSON.parse(readVectorText(file)).tdx.quote, "base64"));
  }
  if (file === "teekit/tdx-v4-azure")
    return new Uint8Array(Buffer.from(readVectorText(file).trim(), "base64url"));
  return readVector(file);
}

function readRoot(path: string) {
  const { subject, publicKey } = parseCertificate(readCertificates(path)[0]!);
  return {
    commonName: subject.commonName!,
    spki: Buffer.from(publicKey.encoding).toString("base64"),
  };
}

function verify(one: Case, bytes: Uint8Array) {
  const options: IntelVerifyOptions = {
    now: new Date(one.at),
    allow: one.allow ?? (one.collateral === undefined ? SIGNATURES : []),
    ...(one.root === undefined ? {} : { roots: [readRoot(one.root)] }),
  };
  const collateral = one.collateral?.() ?? {};
  return parseQuote(bytes).teeType === "sgx"
    ? verifySgx(bytes, collateral, options)
    : verifyTdx(bytes, collateral, options);
}

warnSkipped(CASES.length);

for (const one of CASES) {
  const outcome = one.reason ?? one.status ?? "signatures";
  test(`${one.file} at ${one.at}: ${outcome}`, { skip: skipVectors }, async () => {
    const bytes = readQuote(one.file);
    if (one.reason !== undefined) return assert.rejects(verify(one, bytes), refusal(one.reason));
    const { claims, anchor, checks } = await verify(one, bytes);
    assert.equal(claims.tcb?.status, one.status);
    assert.equal(claims.trailingBytes, one.trailing ?? 0);
    assert.equal(claims.attributes.debug, one.debug ?? false);
    assert.equal(anchor.origin, one.root === undefined ? "vendor" : "caller");
    assert.ok(checks.every((check) => check.ok));
    if (one.fmspc !== undefined)
      assert.equal(Buffer.from(claims.platform.fmspc).toString("hex"), one.fmspc);
    if (one.body !== undefined) assert.equal(parseQuote(bytes).bodyKind, one.body);
    const { advisories } = one;
    if (typeof advisories === "number") assert.equal(claims.tcb?.advisoryIds.length, advisories);
    else if (advisories !== undefined) assert.deepEqual(claims.tcb?.advisoryIds, advisories);
  });
}

test("the COS quote carries the nonce of its folder as report data", {
  skip: skipVectors,
}, async () => {
  const proof = await verifyTdx(
    readVector("go-tdx-guest/ccel/cos-113-tdx-quote.dat"),
    {},
    { now: new Date("2025-07-01T00:00:00Z"), allow: SIGNATURES },
  );
  assert.deepEqual(
    Buffer.from(proof.claims.td.reportData),
    Buffer.from(readVector("go-tdx-guest/ccel/nonce.dat")),
  );
});

test("quotes say which certification data they carry", { skip: skipVectors }, () => {
  const type = (file: string): CertificationData["type"] =>
    parseQuote(readVector(file)).certification.type;
  assert.equal(type(`${SYNTHETIC}/quote.dat`), 1);
  assert.equal(type("dcap-qvl/sgx_quote"), 5);
});
