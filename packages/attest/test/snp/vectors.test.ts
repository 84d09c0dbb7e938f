import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeBase64 } from "@donjon/core/base64";
import { parseCrl } from "@donjon/core/crl";
import { decodeHex, encodeHex } from "@donjon/core/hex";
import { parseCertificate } from "@donjon/core/x509";
import fc from "fast-check";
import { CheckList } from "../../src/check.ts";
import { readSnpCertificate } from "../../src/snp/certs.ts";
import { verifyChain } from "../../src/snp/chain.ts";
import {
  AMD_ROOTS,
  type AmdAuthority,
  type SnpEndorsements,
  VerifyCache,
  verifySnp,
} from "../../src/snp.ts";
import { AMD_ROOTS_WITH_VLEK } from "../../src/snp-vlek.ts";
import { refusal } from "../refusal.ts";
import {
  readCertificates,
  readIndex,
  readVector,
  readVectorText,
  skipVectors,
  warnSkipped,
} from "../vectors.ts";

const TRUST = "go-sev-guest/trust";
const NOW = new Date("2026-06-01T00:00:00Z");
/** Where no current CRL is recorded, tests say so by the option's name. */
const NO_CRL = { allow: ["missing-crl"], roots: AMD_ROOTS_WITH_VLEK } as const;

interface Report {
  readonly report: string;
  readonly leaf: string;
  readonly chain: string;
  readonly now: Date;
  readonly claims: Readonly<Record<string, unknown>>;
}

const REPORTS: readonly Report[] = [
  {
    report: "go-sev-guest/attestation.bin",
    leaf: "go-sev-guest/vcek.testcer",
    chain: "go-sev-guest/milan.testcer",
    now: new Date("2022-10-01T00:00:00Z"),
    claims: { reportVersion: 2, product: "Milan", signer: "vcek", cpuid: null },
  },
  {
    report: "virtee-sev/report_milan.hex",
    leaf: "virtee-sev/vcek_milan.der",
    chain: "virtee-sev/cert_chain_milan.pem",
    now: NOW,
    claims: { reportVersion: 2, product: "Milan" },
  },
  {
    report: "tee-attestation-verification/milan_attestation_report.bin",
    leaf: "tee-attestation-verification/milan_vcek.pem",
    chain: "tee-attestation-verification/milan_ask.pem",
    now: NOW,
    claims: { reportVersion: 3, product: "Milan", guestSvn: 2 },
  },
  {
    report: "tee-attestation-verification/genoa_attestation_report.bin",
    leaf: "tee-attestation-verification/genoa_vcek.pem",
    chain: "tee-attestation-verification/genoa_ask.pem",
    now: NOW,
    claims: { reportVersion: 3, product: "Genoa", guestSvn: 2 },
  },
  {
    report: "tee-attestation-verification/turin_attestation_report.bin",
    leaf: "tee-attestation-verification/turin_vcek.pem",
    chain: "tee-attestation-verification/turin_ask.pem",
    now: NOW,
    claims: {
      reportVersion: 5,
      product: "Turin",
      unknownPlatformInfo: "40",
      currentMitVector: "3f",
    },
  },
  {
    report: "lunal-attestation-rs/snp/test-report.bin",
    leaf: "lunal-attestation-rs/snp/test-vcek.der",
    chain: `${TRUST}/ask_ark_milan.pem`,
    now: NOW,
    claims: { reportVersion: 2, product: "Milan" },
  },
  {
    report: "lunal-attestation-rs/snp/test-vlek-report.bin",
    leaf: "lunal-attestation-rs/snp/test-vlek.der",
    chain: "go-sev-guest/milanvlek.testcer",
    now: new Date("2025-06-01T00:00:00Z"),
    claims: {
      reportVersion: 3,
      product: "Milan",
      signer: "vlek",
      chipId: null,
      vmpl: 1,
      cspId: "CN=cc-us-east-2.amazonaws.com",
    },
  },
  {
    report: "lunal-attestation-rs/snp/live-report-v5-genoa.bin",
    leaf: "lunal-attestation-rs/snp/live-vcek-genoa.der",
    chain: `${TRUST}/ask_ark_genoa.pem`,
    now: NOW,
    claims: { reportVersion: 5, product: "Genoa", currentMitVector: "b" },
  },
  {
    report: "lunal-attestation-rs/az_snp/hcl-report.bin",
    leaf: "lunal-attestation-rs/az_snp/vcek.pem",
    chain: "lunal-attestation-rs/az_snp/vcek.pem",
    now: NOW,
    claims: { signer: "vcek", vmpl: 0 },
  },
  {
    report: "teekit/sev-gcp.bin",
    leaf: "teekit/sev-gcp-vcek.pem",
    chain: "teekit/sev-gcp-cert-chain.pem",
    now: NOW,
    claims: { reportVersion: 5, product: "Milan", vmpl: 0, reportData: "00".repeat(64) },
  },
];

/** Files of the index that no test here reads, each with its reason. */
const NOT_HERE: Readonly<Record<string, string>> = {
  "virtee-sev/measurement/test_id_sig.bin": "ID block signing is the host's, not evidence",
  "virtee-sev/measurement/test_auth_sig.bin": "ID block signing is the host's, not evidence",
  "virtee-sev/measurement/test_auth_block.bin": "ID block signing is the host's, not evidence",
  "virtee-sev/measurement/launch-digests.json": "launch digests are computed by packages/host",
  "lunal-attestation-rs/az_snp/evidence-v1.json":
    "a vTPM quote; its SNP report is the one of hcl-report.bin",
  "lunal-attestation-rs/az_snp/tpm-quote.msg": "a vTPM quote, not SNP evidence",
  "lunal-attestation-rs/az_snp/tpm-quote.sig": "a vTPM quote, not SNP evidence",
  "lunal-attestation-rs/az_snp/quote.bin": "a vTPM quote, not SNP evidence",
};

/** Files that one of the tests below reads, besides `REPORTS`. */
const OTHERS: readonly string[] = [
  `${TRUST}/ask_ark_milan.pem`,
  `${TRUST}/ask_ark_milan_vlek.pem`,
  `${TRUST}/ask_ark_genoa.pem`,
  `${TRUST}/ask_ark_genoa_vlek.pem`,
  `${TRUST}/ask_ark_turin_vcek.pem`,
  `${TRUST}/ask_ark_turin_vlek.pem`,
  "virtee-sev/vcek_turin.der",
  "virtee-sev/cert_chain_turin.pem",
  "tee-attestation-verification/milan_ark.pem",
  "tee-attestation-verification/genoa_ark.pem",
  "tee-attestation-verification/turin_ark.pem",
  "lunal-attestation-rs/snp/test-vcek-invalid-legacy.der",
  "lunal-attestation-rs/snp/test-vcek-invalid-new.der",
  "lunal-attestation-rs/snp/live-evidence-genoa.json",
  "steward/amd-genoa-2022-10-31.crl.der",
  "steward/amd-milan-2022-05-09.crl.der",
];

warnSkipped(REPORTS.length + OTHERS.length);

/** The report inside a file: bare, hexadecimal, or at 0x20 of Azure's HCL report. */
function readReport(path: string): Uint8Array {
  if (path.endsWith(".hex")) return decodeHex(readVectorText(path).trim());
  const bytes = readVector(path);
  return path.endsWith("hcl-report.bin") ? bytes.slice(0x20, 0x20 + 1184) : bytes;
}

function leafOf(path: string): Uint8Array {
  return readCertificates(path)[0]!;
}

function reportNamed(path: string): { report: Uint8Array; certificates: Uint8Array[] } {
  const { report, leaf } = REPORTS.find((candidate) => candidate.report.endsWith(path))!;
  return { report: readReport(report), certificates: [leafOf(leaf)] };
}

test("every AMD file of the index is read by a test here or has a reason not to be", {
  skip: skipVectors,
}, () => {
  const indexed = readIndex()
    .filter((entry) =>
      /\b(snp|vcek|vlek|amd|sev|id block|launch digest)\b|ark|ask,|hcl/i.test(
        `${entry.format} ${entry.expected}`,
      ),
    )
    .filter((entry) => !/tdx|sgx|intel/i.test(entry.format))
    .map((entry) => `${entry.repo}/${entry.file}`)
    .concat([
      "virtee-sev/cert_chain_milan.pem",
      "virtee-sev/cert_chain_turin.pem",
      "go-sev-guest/milan.testcer",
    ]);
  const read = new Set([
    ...REPORTS.flatMap(({ report, leaf, chain }) => [report, leaf, chain]),
    ...OTHERS,
  ]);
  const left = [...new Set(indexed)].filter(
    (path) => !read.has(path) && NOT_HERE[path] === undefined,
  );
  assert.deepEqual(left, []);
  console.log(
    `SNP vectors: ${read.size} files read, ${Object.keys(NOT_HERE).length} left to others with a reason`,
  );
  assert.equal(REPORTS.length, 10);
});

for (const { report, leaf, chain, now, claims } of REPORTS) {
  test(`accepts ${report} with its leaf certificate alone`, { skip: skipVectors }, async () => {
    const verified = await verifySnp(
      readReport(report),
      { certificates: [leafOf(leaf)] },
      { now, ...NO_CRL },
    );
    assert.equal(verified.anchor.origin, "vendor");
    assert.ok(verified.checks.every((check) => check.ok));
    for (const [name, wanted] of Object.entries(claims)) {
      assert.deepEqual((verified.claims as unknown as Record<string, unknown>)[name], wanted, name);
    }
  });

  test(`accepts ${report} with the chain ${chain}`, { skip: skipVectors }, async () => {
    const certificates = [...new Set([leafOf(leaf), ...readCertificates(chain)])];
    const unique = certificates.filter(
      (der, at) => certificates.findIndex((other) => encodeHex(other) === encodeHex(der)) === at,
    );
    await verifySnp(readReport(report), { certificates: unique }, { now, ...NO_CRL });
  });

  test(`refuses ${report} without a CRL unless that is allowed`, {
    skip: skipVectors,
  }, async () => {
    const run = verifySnp(
      readReport(report),
      { certificates: [leafOf(leaf)] },
      { now, roots: AMD_ROOTS_WITH_VLEK },
    );
    await assert.rejects(run, refusal("snp/crl-missing"));
  });
}

test("accepts go-sev-guest/attestation.bin with the CRL of its time and nothing relaxed", {
  skip: skipVectors,
}, async () => {
  const endorsements: SnpEndorsements = {
    certificates: [leafOf("go-sev-guest/vcek.testcer")],
    crls: [readVector("steward/amd-milan-2022-05-09.crl.der")],
  };
  const verified = await verifySnp(readReport("go-sev-guest/attestation.bin"), endorsements, {
    now: new Date("2022-10-01T00:00:00Z"),
  });
  assert.ok(verified.checks.every((check) => check.ok && check.allowed === undefined));
  assert.equal(verified.claims.policy.debug, true);
});

test("accepts the report and VCEK inside live-evidence-genoa.json", {
  skip: skipVectors,
}, async () => {
  const { evidence } = JSON.parse(
    readVectorText("lunal-attestation-rs/snp/live-evidence-genoa.json"),
  );
  const vcek: string = evidence.cert_chain?.vcek ?? evidence.vcek;
  const verified = await verifySnp(
    decodeBase64(evidence.attestation_report),
    { certificates: [decodeBase64(vcek)] },
    { now: NOW, ...NO_CRL },
  );
  assert.equal(verified.claims.product, "Genoa");
});

for (const name of ["legacy", "new"]) {
  test(`refuses test-report.bin with test-vcek-invalid-${name}.der`, {
    skip: skipVectors,
  }, async () => {
    const { report } = reportNamed("snp/test-report.bin");
    const certificates = readCertificates(`lunal-attestation-rs/snp/test-vcek-invalid-${name}.der`);
    await assert.rejects(
      verifySnp(report, { certificates }, { now: NOW, ...NO_CRL }),
      refusal("snp/certificate-signature"),
    );
  });
}

test("refuses the VLEK report before and after the year of its certificate", {
  skip: skipVectors,
}, async () => {
  const { report, certificates } = reportNamed("test-vlek-report.bin");
  for (const time of ["2024-12-09T00:00:00Z", "2025-12-12T00:00:00Z"]) {
    const run = verifySnp(report, { certificates }, { now: new Date(time), ...NO_CRL });
    await assert.rejects(run, refusal("snp/certificate-expired"));
  }
});

test("refuses the VLEK report with the intermediate of VCEKs", { skip: skipVectors }, async () => {
  const { report, certificates } = reportNamed("test-vlek-report.bin");
  const chain = [...certificates, ...readCertificates(`${TRUST}/ask_ark_milan.pem`)];
  const run = verifySnp(
    report,
    { certificates: chain },
    { now: new Date("2025-06-01"), ...NO_CRL },
  );
  await assert.rejects(run, refusal("snp/chain"));
});

test("a VLEK's issuer must come with the evidence unless its pinned key is asked for", {
  skip: skipVectors,
}, async () => {
  const { report, certificates } = reportNamed("test-vlek-report.bin");
  const options = { now: new Date("2025-06-01"), allow: ["missing-crl"] } as const;
  await assert.rejects(verifySnp(report, { certificates }, options), refusal("snp/chain"));
  const chain = [...certificates, ...readCertificates(`${TRUST}/ask_ark_milan_vlek.pem`)];
  const verified = await verifySnp(report, { certificates: chain }, options);
  assert.equal(verified.anchor.origin, "vendor");
});

test("refuses a VLEK report with a VCEK certificate, and the other way round", {
  skip: skipVectors,
}, async () => {
  const vlek = reportNamed("test-vlek-report.bin");
  const vcek = reportNamed("sev-gcp.bin");
  const options = { now: new Date("2025-06-01"), ...NO_CRL };
  await assert.rejects(
    verifySnp(vlek.report, { certificates: vcek.certificates }, options),
    refusal("snp/signer-kind"),
  );
  await assert.rejects(
    verifySnp(vcek.report, { certificates: vlek.certificates }, options),
    refusal("snp/signer-kind"),
  );
});

test("refuses every report with the certificate of every other chip", {
  skip: skipVectors,
}, async () => {
  let pairs = 0;
  for (const one of REPORTS) {
    for (const other of REPORTS) {
      if (encodeHex(leafOf(one.leaf)) === encodeHex(leafOf(other.leaf))) continue;
      const run = verifySnp(
        readReport(one.report),
        { certificates: [leafOf(other.leaf)] },
        { now: NOW, ...NO_CRL },
      );
      await assert.rejects(run, refusal());
      pairs++;
    }
  }
  assert.ok(pairs >= 80, String(pairs));
});

test("accepts the chain of vcek_turin.der: 8-octet HWID, FMC version", {
  skip: skipVectors,
}, async () => {
  const leaf = readSnpCertificate(parseCertificate(leafOf("virtee-sev/vcek_turin.der")));
  assert.equal(leaf.hwid?.length, 8);
  assert.notEqual(leaf.tcb.fmc, null);
  const root = AMD_ROOTS.find(({ product }) => product === "Turin")!;
  for (const file of [undefined, "virtee-sev/cert_chain_turin.pem"]) {
    const authorities = file === undefined ? [] : readCertificates(file).map(parseCertificate);
    const checks = new CheckList(["missing-crl"]);
    await verifyChain(
      { leaf, authorities, crls: [], root, now: NOW, cache: new VerifyCache() },
      checks,
    );
    assert.ok(checks.checks.length > 5);
  }
});

test("every pinned authority is the one of the published chains, signed by its ARK", {
  skip: skipVectors,
}, async () => {
  const files: Readonly<Record<string, readonly string[]>> = {
    Milan: ["ask_ark_milan.pem", "ask_ark_milan_vlek.pem"],
    Genoa: ["ask_ark_genoa.pem", "ask_ark_genoa_vlek.pem"],
    Turin: ["ask_ark_turin_vcek.pem", "ask_ark_turin_vlek.pem"],
  };
  let compared = 0;
  for (const { product, ark, ask, asvk } of AMD_ROOTS_WITH_VLEK) {
    for (const [at, file] of files[product]!.entries()) {
      const [intermediate, arkDer] = readCertificates(`${TRUST}/${file}`);
      compared += await compare(at === 0 ? ask! : asvk!, intermediate!, ark);
      compared += await compare(ark, arkDer!, ark);
    }
    const other = readCertificates(
      `tee-attestation-verification/${product.toLowerCase()}_ark.pem`,
    )[0]!;
    compared += await compare(ark, other, ark);
  }
  assert.equal(compared, 15);
});

/** Of the DER certificates that AMD publishes. */
const SHA256: Readonly<Record<string, string>> = {
  "ARK-Milan": "69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd",
  "SEV-Milan": "67d303bd3905fd38db8b20e0793699870e7fa612eaad5dec358293fd8c0bac1b",
  "SEV-VLEK-Milan": "c5e081f59b7efab1fe2f8b505e159704e72f29cab7ef7cf628a05a42439082f5",
  "ARK-Genoa": "4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1",
  "SEV-Genoa": "5464738c1546aed5f2cecf1dc98c5c960a92e8913238a61711bc90ec6e828521",
  "SEV-VLEK-Genoa": "197e610743a917d6b9bb982a5a9226ccc0a15b611be0619e626aca9151457372",
  "ARK-Turin": "1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a",
  "SEV-Turin": "5b77ef5fe7a7a004fd9032668fba9d0fda22f88c4442069a479636a6ae3b3185",
  "SEV-VLEK-Turin": "104e10a8bd060a3c20a434261a57d0588fd65a88915b4f65b08bdecaf8df1a3c",
};

async function compare(pinned: AmdAuthority, der: Uint8Array, ark: AmdAuthority): Promise<number> {
  const certificate = parseCertificate(der);
  const sha256 = new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(der)));
  assert.equal(encodeHex(sha256), SHA256[pinned.commonName]);
  assert.equal(encodeHex(certificate.publicKey.encoding), encodeHex(decodeBase64(pinned.spki)));
  assert.equal(encodeHex(certificate.serialNumber), pinned.serialNumber);
  assert.equal(certificate.subject.commonName, pinned.commonName);
  assert.equal(certificate.notBeforeMs, Date.parse(pinned.notBefore));
  assert.equal(certificate.notAfterMs, Date.parse(pinned.notAfter));
  const cache = new VerifyCache();
  assert.ok(
    await cache.verifySignature(
      "rsa-pss-sha384",
      decodeBase64(ark.spki),
      certificate.signature,
      certificate.tbs,
    ),
  );
  return 1;
}

test("the recorded Genoa CRL revokes the first ASK, and not the pinned one", {
  skip: skipVectors,
}, async () => {
  const crl = readVector("steward/amd-genoa-2022-10-31.crl.der");
  assert.deepEqual([...parseCrl(crl).revoked], ["020001"]);
  const { report, certificates } = reportNamed("genoa_attestation_report.bin");
  const endorsements = { certificates, crls: [crl] };
  await assert.rejects(verifySnp(report, endorsements, { now: NOW }), refusal("snp/crl-stale"));
  const stale = { now: NOW, allow: ["stale-crl"] } as const;
  await verifySnp(report, endorsements, stale);
  const genoa = AMD_ROOTS.find(({ product }) => product === "Genoa")!;
  const revoked = { ...genoa, ask: { ...genoa.ask!, serialNumber: "020001" } };
  await assert.rejects(
    verifySnp(report, endorsements, { ...stale, roots: [revoked] }),
    refusal("snp/revoked"),
  );
});

test("refuses a CRL that is garbage or changed in an octet", { skip: skipVectors }, async () => {
  const crl = readVector("steward/amd-genoa-2022-10-31.crl.der");
  const { report, certificates } = reportNamed("genoa_attestation_report.bin");
  const options = { now: NOW, allow: ["stale-crl", "missing-crl"] } as const;
  const garbage = new Uint8Array(200).fill(0x41);
  await assert.rejects(
    verifySnp(report, { certificates, crls: [garbage] }, options),
    refusal("snp/crl-malformed"),
  );
  for (const at of [crl.length - 1, crl.length - 300, 350]) {
    const changed = crl.slice();
    changed[at]! ^= 1;
    const run = verifySnp(report, { certificates, crls: [changed] }, options);
    await assert.rejects(run, refusal("snp/crl-signature", "snp/crl-malformed"));
  }
});

const FLIPS_EACH = 300;

test("refuses every recorded report with one bit flipped in its signed part", {
  skip: skipVectors,
}, async () => {
  let refused = 0;
  for (const { report, leaf, now } of REPORTS) {
    const bytes = readReport(report);
    const certificates = [leafOf(leaf)];
    const cache = new VerifyCache();
    const bits = fc.sample(fc.nat(0x2a0 * 8 - 1), FLIPS_EACH);
    for (const bit of bits) {
      const flipped = bytes.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      await assert.rejects(
        verifySnp(flipped, { certificates }, { now, cache, ...NO_CRL }),
        refusal(),
        `${report} bit ${bit}`,
      );
      refused++;
    }
  }
  assert.equal(refused, REPORTS.length * FLIPS_EACH);
});
