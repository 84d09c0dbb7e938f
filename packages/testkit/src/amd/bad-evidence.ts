/** SEV-SNP evidence with exactly one thing wrong, and the reason that a verifier must give. */
import type { SnpReason } from "@donjon/attest/snp";
import { type FakeAmd, makeAuthority, makeCrl } from "./authority.ts";
import {
  type EvidenceOptions,
  FAKE_TCB,
  type FakeEvidence,
  fakeHwid,
  fakeTcbBytes,
  makeEvidence,
} from "./evidence.ts";

export interface BadEvidence {
  readonly name: string;
  readonly reason: SnpReason;
  readonly make: () => Promise<FakeEvidence>;
}

type Change = (good: FakeEvidence) => FakeEvidence | Promise<FakeEvidence>;

const GOOD: EvidenceOptions = { version: 5, signer: "vcek" };
const PAST = new Date("2025-06-01T00:00:00Z");

export function badEvidence(amd: FakeAmd): readonly BadEvidence[] {
  const built = (
    name: string,
    reason: SnpReason,
    options: Partial<EvidenceOptions>,
  ): BadEvidence => ({
    name,
    reason,
    make: () => makeEvidence(amd, { ...GOOD, ...options }),
  });
  const changed = (name: string, reason: SnpReason, change: Change): BadEvidence => ({
    name,
    reason,
    make: async () => change(await makeEvidence(amd, GOOD)),
  });
  return [
    ...badReports(amd, built, changed),
    ...badCertificates(amd, built, changed),
    ...badChains(amd, built, changed),
    ...badCrls(amd, built, changed),
  ];
}

type Built = (name: string, reason: SnpReason, options: Partial<EvidenceOptions>) => BadEvidence;
type Changed = (name: string, reason: SnpReason, change: Change) => BadEvidence;

function badReports(amd: FakeAmd, built: Built, changed: Changed): BadEvidence[] {
  const tcb = { ...FAKE_TCB };
  const reported = (change: Partial<typeof tcb>) => ({
    report: { reportedTcb: fakeTcbBytes(amd, { ...tcb, ...change }) },
  });
  return [
    changed("report cut by one octet", "snp/length", (good) => ({
      ...good,
      report: good.report.subarray(1),
    })),
    changed("report with one octet more", "snp/length", (good) => ({
      ...good,
      report: new Uint8Array([...good.report, 0]),
    })),
    built("version 1", "snp/version", { report: { version: 1 } }),
    built("version 6", "snp/version", { report: { version: 6 } }),
    built("reserved octet 0x4c in use", "snp/reserved", { report: { patch: [[0x4c, 1]] } }),
    built("reserved octet 0x208 in use", "snp/reserved", { report: { patch: [[0x208, 1]] } }),
    built("mitigation vector in version 4", "snp/reserved", {
      version: 4,
      report: { patch: [[0x1f8, 1]] },
    }),
    built("CPUID in version 2", "snp/reserved", { version: 2, report: { patch: [[0x188, 0x19]] } }),
    built("policy bit 17 zero", "snp/reserved", { report: { policy: 0x1001fn } }),
    built("policy bit 40 set", "snp/reserved", { report: { policy: 0x3001fn | (1n << 40n) } }),
    built("signature algorithm 2", "snp/signature-algorithm", { report: { signatureAlgo: 2 } }),
    built("signed by no key", "snp/signer-kind", { report: { signingKey: 7 } }),
    built("signed by VLEK, VCEK certificate", "snp/signer-kind", { report: { signingKey: 1 } }),
    built(
      "bootloader SVN one above",
      "snp/tcb-mismatch",
      reported({ bootloader: tcb.bootloader + 1 }),
    ),
    built("TEE SVN one below", "snp/tcb-mismatch", reported({ tee: tcb.tee - 1 })),
    built("SNP SVN one below", "snp/tcb-mismatch", reported({ snp: tcb.snp - 1 })),
    built(
      "microcode SVN one above",
      "snp/tcb-mismatch",
      reported({ microcode: tcb.microcode + 1 }),
    ),
    built("another chip", "snp/chip-id", { report: { chipId: new Uint8Array(64).fill(0x33) } }),
    built("CPUID of no product", "snp/product-unknown", { report: { cpuid: [0x1b, 0, 0] } }),
    built("CPUID of another product", "snp/product-mismatch", {
      report: { cpuid: amd.product === "Genoa" ? [0x19, 1, 1] : [0x19, 0x11, 1] },
    }),
    changed("signature of zeros", "snp/signature", (good) => ({
      ...good,
      report: overwritten(good.report, 0x2a0, new Uint8Array(144)),
    })),
    changed("report data changed after signing", "snp/signature", (good) => ({
      ...good,
      report: overwritten(good.report, 0x50, new Uint8Array([1])),
    })),
    changed("signature of another report", "snp/signature", async (good) => {
      const other = await makeEvidence(amd, { ...GOOD, report: { guestSvn: 9 } });
      return { ...good, report: overwritten(good.report, 0x2a0, other.report.subarray(0x2a0)) };
    }),
    changed("signature with octets above r", "snp/reserved", (good) => ({
      ...good,
      report: overwritten(good.report, 0x2d0, new Uint8Array([1])),
    })),
  ];
}

function badCertificates(amd: FakeAmd, built: Built, changed: Changed): BadEvidence[] {
  return [
    changed("no certificate", "snp/certificate-missing", (good) => ({ ...good, certificates: [] })),
    changed("only the ASK's certificate", "snp/certificate-missing", (good) => ({
      ...good,
      certificates: [amd.ask.certificate],
    })),
    changed("garbage for a certificate", "snp/certificate-malformed", (good) => ({
      ...good,
      certificates: [new Uint8Array(100).fill(0x30)],
    })),
    changed(
      "certificate with an octet after it",
      "snp/certificate-malformed",
      ({ certificates, ...good }) => ({
        ...good,
        certificates: certificates.map((der) => new Uint8Array([...der, 0])),
      }),
    ),
    built("certificate expired", "snp/certificate-expired", { certificate: { notAfter: PAST } }),
    built("certificate of the future", "snp/certificate-expired", {
      certificate: { notBefore: new Date("2030-01-01") },
    }),
    built("certificate without HWID", "snp/certificate-extensions", {
      certificate: { hwid: null },
    }),
    built("HWID of a wrong length", "snp/certificate-extensions", {
      certificate: { hwid: new Uint8Array(32).fill(0xc5) },
    }),
    built("HWID and CSP id together", "snp/certificate-extensions", {
      certificate: { cspId: "CN=x" },
    }),
    built("CSP id in place of HWID", "snp/certificate-extensions", {
      certificate: { hwid: null, cspId: "CN=x" },
    }),
    built("unknown product in the certificate", "snp/certificate-extensions", {
      certificate: { productName: "Rome" },
    }),
    built("structVersion of another product", "snp/certificate-extensions", {
      certificate: { structVersion: amd.product === "Turin" ? 0 : 1 },
    }),
    built("certificate TCB one below", "snp/tcb-mismatch", {
      certificate: { tcb: { ...FAKE_TCB, snp: FAKE_TCB.snp - 1 } },
    }),
    built("certificate of another chip", "snp/chip-id", {
      certificate: { hwid: fakeHwid(amd).fill(0x01) },
    }),
  ];
}

function badChains(amd: FakeAmd, built: Built, changed: Changed): BadEvidence[] {
  const withChain =
    (...authorities: readonly Uint8Array[]): Change =>
    (good) => ({
      ...good,
      certificates: [...good.certificates, ...authorities],
    });
  return [
    built("VCEK issued by the ASVK", "snp/chain", { certificate: { issuer: amd.asvk } }),
    built("PSS salt of 32", "snp/certificate-algorithm", { certificate: { saltLength: 32 } }),
    changed("leaf by another key of the ASK's name", "snp/certificate-signature", async () => {
      const rogue = await makeAuthority({ name: amd.ask.name, serialNumber: "0a0001" });
      return makeEvidence(amd, { ...GOOD, certificate: { issuer: rogue } });
    }),
    changed(
      "VLEK intermediate beside a VCEK",
      "snp/chain",
      withChain(amd.asvk.certificate, amd.ark.certificate),
    ),
    changed("another ARK of the same name", "snp/root", async (good) => {
      const rogue = await makeAuthority({ name: amd.ark.name, serialNumber: "0a0000" });
      return withChain(amd.ask.certificate, rogue.certificate)(good);
    }),
    changed("ASK by another ARK", "snp/certificate-signature", async () => {
      const ark = await makeAuthority({ name: amd.ark.name, serialNumber: "0a0000" });
      const ask = await makeAuthority({ name: amd.ask.name, serialNumber: "0a0001", issuer: ark });
      return withChain(ask.certificate)(
        await makeEvidence(amd, { ...GOOD, certificate: { issuer: ask } }),
      );
    }),
    changed("ASK that is no authority", "snp/chain", async (good) =>
      withChain(
        (
          await makeAuthority({
            name: amd.ask.name,
            serialNumber: "0a0001",
            issuer: amd.ark,
            keys: amd.ask.keys,
            ca: false,
          })
        ).certificate,
      )(good),
    ),
    changed("ASK expired", "snp/certificate-expired", async (good) =>
      withChain(
        (
          await makeAuthority({
            name: amd.ask.name,
            serialNumber: "0a0001",
            issuer: amd.ark,
            keys: amd.ask.keys,
            notAfter: PAST,
          })
        ).certificate,
      )(good),
    ),
    changed("no root of the product", "snp/product-unknown", (good) => ({ ...good, roots: [] })),
  ];
}

function badCrls(amd: FakeAmd, built: Built, changed: Changed): BadEvidence[] {
  return [
    changed("no CRL", "snp/crl-missing", (good) => ({ ...good, crls: [] })),
    changed("CRL of another issuer only", "snp/crl-missing", async (good) => ({
      ...good,
      crls: [await makeCrl({ issuer: amd.ask })],
    })),
    changed("garbage for a CRL", "snp/crl-malformed", (good) => ({
      ...good,
      crls: [new Uint8Array(50).fill(7)],
    })),
    built("CRL signed by the ASK", "snp/crl-signature", { crl: { signer: amd.ask } }),
    built("CRL past its nextUpdate", "snp/crl-stale", { crl: { nextUpdate: PAST } }),
    built("CRL before its thisUpdate", "snp/crl-stale", {
      crl: { thisUpdate: new Date("2030-01-01") },
    }),
    built("ASK revoked", "snp/revoked", { crl: { revoked: [amd.ask.serialNumber] } }),
    built("ARK revoked", "snp/revoked", { crl: { revoked: ["01", amd.ark.serialNumber] } }),
    changed("two CRLs, the second revoking", "snp/revoked", async (good) => ({
      ...good,
      crls: [...good.crls, await makeCrl({ issuer: amd.ark, revoked: [amd.ask.serialNumber] })],
    })),
  ];
}

function overwritten(bytes: Uint8Array, at: number, value: Uint8Array): Uint8Array {
  const out = bytes.slice();
  out.set(value, at);
  return out;
}
