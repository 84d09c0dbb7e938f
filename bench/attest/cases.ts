/**
 * The evidence that every verifier is asked about: genuine ones, and bad ones that have exactly one thing wrong. Recorded evidence is
 * changed where nothing signed hides the change; everything else is made up under a root that verifiers are handed.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { decodePem, looksLikePem } from "@donjon/core/pem";
import { parseCertificate } from "@donjon/core/x509";
import {
  badEvidence,
  FAKE_NOW,
  type FakeAmd,
  type FakeEvidence,
  makeEvidence,
  makeFakeAmd,
} from "@donjon/testkit/amd";
import {
  badIntelEvidence,
  type FakeIntel,
  INTEL_NOW,
  type IntelEvidence,
  makeFakeIntel,
  makeIntelEvidence,
  pem,
  quoteCollateralV3,
} from "@donjon/testkit/intel";

export const VECTORS =
  process.env["DONJON_VECTORS"] ?? join(import.meta.dirname, "../../../shared/vectors");

/** Octets in base64. */
type Octets = string;

export interface Case {
  readonly id: string;
  readonly kind: "snp" | "tdx" | "sgx";
  /** Bad cases are compared only where the genuine case of this name is accepted. */
  readonly group: string;
  readonly genuine: boolean;
  readonly evidence: Octets;
  readonly vek: Octets | null;
  readonly ask: Octets | null;
  readonly ark: Octets | null;
  readonly crl: Octets | null;
  /** `QuoteCollateralV3`. */
  readonly collateral: Readonly<Record<string, string>> | null;
  /** DER of a made-up vendor's root; `null`: the vendor's own. */
  readonly root: Octets | null;
  /** Seconds since 1970. */
  readonly now: number;
}

type Common = Pick<Case, "id" | "group" | "genuine">;

const base64 = (bytes: Uint8Array): Octets => Buffer.from(bytes).toString("base64");
const seconds = (time: string | Date): number => Math.floor(new Date(time).getTime() / 1000);

export async function createCases(): Promise<readonly Case[]> {
  return [...recordedSnp(), ...recordedQuotes(), ...(await madeSnp()), ...(await madeQuotes())];
}

function read(path: string): Uint8Array {
  const bytes = new Uint8Array(readFileSync(join(VECTORS, path)));
  return path.endsWith(".hex")
    ? new Uint8Array(Buffer.from(`${Buffer.from(bytes)}`.trim().replace(/^0x/, ""), "hex"))
    : bytes;
}

function certificates(path: string): Uint8Array[] {
  const bytes = read(path);
  return looksLikePem(bytes) ? decodePem(new TextDecoder().decode(bytes), "CERTIFICATE") : [bytes];
}

function flip(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice();
  copy[at < 0 ? bytes.length + at : at]! ^= 1;
  return copy;
}

interface Recorded {
  readonly report: string;
  readonly leaf: string;
  readonly chain: string;
  readonly now: string;
}

const T = "tee-attestation-verification";
const TRUST = "go-sev-guest/trust";
const REPORTS: Readonly<Record<string, Recorded>> = {
  "SNP v3 Milan": {
    report: `${T}/milan_attestation_report.bin`,
    leaf: `${T}/milan_vcek.pem`,
    chain: `${TRUST}/ask_ark_milan.pem`,
    now: "2026-06-01T00:00:00Z",
  },
  "SNP v3 Genoa": {
    report: `${T}/genoa_attestation_report.bin`,
    leaf: `${T}/genoa_vcek.pem`,
    chain: `${TRUST}/ask_ark_genoa.pem`,
    now: "2026-06-01T00:00:00Z",
  },
  "SNP v5 Turin": {
    report: `${T}/turin_attestation_report.bin`,
    leaf: `${T}/turin_vcek.pem`,
    chain: `${TRUST}/ask_ark_turin_vcek.pem`,
    now: "2026-06-01T00:00:00Z",
  },
  "SNP v2 Milan": {
    report: "virtee-sev/report_milan.hex",
    leaf: "virtee-sev/vcek_milan.der",
    chain: `${TRUST}/ask_ark_milan.pem`,
    now: "2026-06-01T00:00:00Z",
  },
  "SNP v3 Milan VLEK": {
    report: "lunal-attestation-rs/snp/test-vlek-report.bin",
    leaf: "lunal-attestation-rs/snp/test-vlek.der",
    chain: `${TRUST}/ask_ark_milan_vlek.pem`,
    now: "2025-06-01T00:00:00Z",
  },
};

function recordedSnp(): Case[] {
  const cases = Object.entries(REPORTS).map(([id, one]) =>
    snpCase({ id, group: id, genuine: true }, one),
  );
  const milan = REPORTS["SNP v3 Milan"]!;
  const bad = (id: string, change: Partial<Case>, of = "SNP v3 Milan"): Case => ({
    ...snpCase({ id, group: of, genuine: false }, REPORTS[of]!),
    ...change,
  });
  const report = read(milan.report);
  const milanCrl = read("steward/amd-milan-2022-05-09.crl.der");
  return [
    ...cases,
    bad("SNP: a bit of the report changed", { evidence: base64(flip(report, 0x95)) }),
    bad("SNP: a signature of zeros", {
      evidence: base64(report.map((octet, at) => (at >= 0x2a0 && at < 0x330 ? 0 : octet))),
    }),
    bad("SNP: another chip's VCEK", { vek: base64(certificates("teekit/sev-gcp-vcek.pem")[0]!) }),
    bad("SNP: the time before the certificates", { now: seconds("2019-01-01T00:00:00Z") }),
    bad("SNP: an expired VLEK", { now: seconds("2026-06-01T00:00:00Z") }, "SNP v3 Milan VLEK"),
    bad("SNP: garbage for a CRL", { crl: base64(new TextEncoder().encode("garbage")) }),
    bad(
      "SNP: a CRL with a bad signature",
      { crl: base64(flip(milanCrl, -1)), now: seconds("2022-12-01T00:00:00Z") },
      "SNP v2 Milan",
    ),
    bad("SNP: a CRL of 2022 in 2026", { crl: base64(milanCrl) }),
    bad("SNP: the CRL of another product", {
      crl: base64(read("steward/amd-genoa-2022-10-31.crl.der")),
    }),
  ];
}

function snpCase(common: Common, { report, leaf, chain, now }: Recorded): Case {
  const [ask, ark] = certificates(chain);
  return {
    ...common,
    kind: "snp",
    evidence: base64(read(report)),
    vek: base64(certificates(leaf)[0]!),
    ask: base64(ask!),
    ark: base64(ark!),
    crl: null,
    collateral: null,
    root: null,
    now: seconds(now),
  };
}

function recordedQuotes(): Case[] {
  const quote = (kind: "tdx" | "sgx"): Case => ({
    id: kind === "tdx" ? "TDX v4" : "SGX v3",
    group: kind === "tdx" ? "TDX v4" : "SGX v3",
    genuine: true,
    kind,
    evidence: base64(read(`dcap-qvl/${kind}_quote`)),
    ...NO_CERTIFICATES,
    collateral: JSON.parse(
      new TextDecoder().decode(read(`dcap-qvl/${kind}_quote_collateral.json`)),
    ),
    root: null,
    now: seconds("2025-07-01T00:00:00Z"),
  });
  const [tdx, sgx] = [quote("tdx"), quote("sgx")];
  const good = tdx.collateral!;
  const other = sgx.collateral!;
  const bytes = new Uint8Array(Buffer.from(tdx.evidence, "base64"));
  const hex = (text: string, at: number) =>
    Buffer.from(flip(new Uint8Array(Buffer.from(text, "hex")), at)).toString("hex");
  const bad = (
    id: string,
    collateral: Readonly<Record<string, string>>,
    change: Partial<Case> = {},
  ): Case => ({
    ...tdx,
    id: `TDX: ${id}`,
    genuine: false,
    collateral: { ...good, ...collateral },
    ...change,
  });
  return [
    tdx,
    sgx,
    bad("a bit of the TD report changed", {}, { evidence: base64(flip(bytes, 48 + 136)) }),
    bad(
      "a bit of the quote's signature changed",
      {},
      { evidence: base64(flip(bytes, 48 + 584 + 4 + 10)) },
    ),
    bad("garbage for the PCK CRL", { pck_crl: "00112233445566778899" }),
    bad("a PCK CRL with a bad signature", { pck_crl: hex(good["pck_crl"]!, -1) }),
    bad("the root's CRL in place of the PCK CRL", { pck_crl: good["root_ca_crl"]! }),
    bad("no PCK CRL", { pck_crl: "" }),
    bad("garbage for the root's CRL", { root_ca_crl: "00112233445566778899" }),
    bad("a root CRL with a bad signature", { root_ca_crl: hex(good["root_ca_crl"]!, -1) }),
    bad("TCB info with a bad signature", {
      tcb_info_signature: hex(good["tcb_info_signature"]!, 3),
    }),
    bad("TCB info of another platform and TEE", {
      tcb_info: other["tcb_info"]!,
      tcb_info_signature: other["tcb_info_signature"]!,
      tcb_info_issuer_chain: other["tcb_info_issuer_chain"]!,
    }),
    bad("a QE identity with a bad signature", {
      qe_identity_signature: hex(good["qe_identity_signature"]!, 3),
    }),
    bad("the identity of another QE (SGX's)", {
      qe_identity: other["qe_identity"]!,
      qe_identity_signature: other["qe_identity_signature"]!,
      qe_identity_issuer_chain: other["qe_identity_issuer_chain"]!,
    }),
    bad("collateral a year old", {}, { now: seconds("2026-07-01T00:00:00Z") }),
    bad("the time before the collateral", {}, { now: seconds("2025-05-01T00:00:00Z") }),
  ];
}

const NO_CERTIFICATES = { vek: null, ask: null, ark: null, crl: null } as const;

/** Made-up AMD: verifiers get its ARK as their root. */
async function madeSnp(): Promise<Case[]> {
  const amd = await makeFakeAmd("Milan");
  const group = "SNP made up";
  const good = await makeEvidence(amd, { version: 5, signer: "vcek" });
  const cases = [madeSnpCase({ id: group, group, genuine: true }, amd, good)];
  for (const { name, make } of badEvidence(amd)) {
    const made = await make();
    // Verifiers take one signer, one list and one root; what cannot be asked that way is not asked.
    if (made.crls.length > 1) continue;
    if (made.certificates.length === 0 || made.roots.length !== 1 || made.roots[0] !== amd.root)
      continue;
    cases.push(madeSnpCase({ id: `SNP made up: ${name}`, group, genuine: false }, amd, made));
  }
  return cases;
}

function madeSnpCase(
  common: Common,
  amd: FakeAmd,
  { report, certificates: given, crls }: FakeEvidence,
): Case {
  const named = (pattern: RegExp) => given.find((der) => pattern.test(commonName(der)));
  return {
    ...common,
    kind: "snp",
    evidence: base64(report),
    vek: base64(named(/^SEV-V[CL]EK$/) ?? given[0]!),
    ask: base64(named(/^SEV-(VLEK-)?(Milan|Genoa|Turin)$/) ?? amd.ask.certificate),
    ark: base64(named(/^ARK-/) ?? amd.ark.certificate),
    crl: crls[0] === undefined ? null : base64(crls[0]),
    collateral: null,
    root: base64(amd.ark.certificate),
    now: seconds(FAKE_NOW),
  };
}

function commonName(der: Uint8Array): string {
  try {
    return parseCertificate(der).subject.commonName ?? "";
  } catch {
    return "";
  }
}

/** Made-up Intel: verifiers get its root. */
async function madeQuotes(): Promise<Case[]> {
  const intel = await makeFakeIntel();
  const cases: Case[] = [];
  for (const [version, body] of [
    [3, "sgx"],
    [5, "td-1.5"],
  ] as const) {
    const kind = body === "sgx" ? "sgx" : "tdx";
    const group = `${kind.toUpperCase()} made up`;
    const made = await makeIntelEvidence(intel, { version, body });
    cases.push(madeQuoteCase({ id: group, group, genuine: true }, kind, intel, made));
  }
  for (const { name, body, make } of await badIntelEvidence(intel)) {
    const kind = body === "sgx" ? "sgx" : "tdx";
    const group = `${kind.toUpperCase()} made up`;
    const made = await make();
    // Another root than the one handed over is asked for by name; without all of its parts a collateral has no JSON.
    const { tcbInfo, qeIdentity } = made.collateral;
    if (tcbInfo === undefined || qeIdentity === undefined || made.roots !== intel.roots) continue;
    cases.push(
      madeQuoteCase({ id: `${group}: ${name}`, group, genuine: false }, kind, intel, made),
    );
  }
  return cases;
}

function madeQuoteCase(
  common: Common,
  kind: "sgx" | "tdx",
  intel: FakeIntel,
  made: IntelEvidence,
): Case {
  const json = JSON.parse(quoteCollateralV3(made.collateral));
  const chain = [intel.platformCa, intel.root].map(({ certificate }) => pem(certificate)).join("");
  return {
    ...common,
    kind,
    evidence: base64(made.quote),
    ...NO_CERTIFICATES,
    collateral: { ...json, pck_crl_issuer_chain: chain },
    root: base64(intel.root.certificate),
    now: seconds(INTEL_NOW),
  };
}
