/** Is it genuine? Every check that AMD 56860 and 57230 ask of a relying party, in the order of `reasons.ts`. */
import { equalBytes, isZero } from "@donjon/core/bytes";
import { encodeHex } from "@donjon/core/hex";
import { type Certificate, parseCertificate } from "@donjon/core/x509";
import { CheckList } from "../check.ts";
import { AMD_ROOTS, type AmdRoot } from "../trust/amd.ts";
import { proven, type Verified, type VerifyOptions } from "../verified.ts";
import { VerifyCache } from "../verify-cache.ts";
import { readSnpCertificate, type SignerKind, type SnpCertificate, signerKind } from "./certs.ts";
import { verifyChain } from "./chain.ts";
import { readClaims, type SnpClaims } from "./claims.ts";
import {
  readReport,
  reportProduct,
  reportSignature,
  type SnpParseRelaxation,
  type SnpReport,
} from "./report.ts";
import { decodeTcb, formatTcb, TCB_COMPONENTS } from "./tcb.ts";

/** What came with a report, in any order. */
export interface SnpEndorsements {
  /** DER: the VCEK or VLEK certificate, and none, some or all of ASK or ASVK and ARK. */
  readonly certificates: readonly Uint8Array[];
  /** DER: revocation lists of the ARK. */
  readonly crls?: readonly Uint8Array[];
}

/** Checks that a caller may give up, by name. */
export type SnpRelaxation =
  | SnpParseRelaxation
  /** Accept that nobody says whether the ASK or ASVK is revoked. */
  | "missing-crl"
  /** Accept a CRL outside its validity; what it lists is still refused. */
  | "stale-crl";

export interface SnpVerifyOptions extends VerifyOptions<SnpRelaxation> {
  /**
   * Instead of `AMD_ROOTS`: `AMD_ROOTS_WITH_VLEK`, or the caller's own for simulated evidence; the result says whose
   * root it was.
   */
  readonly roots?: readonly AmdRoot[];
}

export type VerifiedSnp = Verified<"snp", SnpClaims>;

const MAX_CERTIFICATES = 16;
const MAX_CRLS = 8;

/** KEY_INFO.SIGNING_KEY (56860). */
const SIGNING_KEYS: Readonly<Record<number, SignerKind>> = { 0: "vcek", 1: "vlek" };

/**
 * Proves that a report of 1184 octets was signed by an AMD chip (VCEK) or by a cloud's key that AMD certified (VLEK),
 * at the TCB it states. The VCEK certificate is enough: AMD's authorities are pinned. A VLEK needs its issuer's certificate as well,
 * or `AMD_ROOTS_WITH_VLEK`. Offline.
 *
 * @throws AttestError `evidence/malformed` or `evidence/refused`, with one of `SNP_REASONS`
 */
export async function verifySnp(
  bytes: Uint8Array,
  endorsements: SnpEndorsements,
  options: SnpVerifyOptions,
): Promise<VerifiedSnp> {
  const checks = new CheckList(options.allow);
  const cache = options.cache ?? new VerifyCache();
  // A copy: the caller may write to its bytes while WebCrypto works.
  const report = readReport(bytes.slice(), checks);
  const certificates = parseCertificates(endorsements.certificates, cache, checks);
  const signer = selectSigner(report, certificates, checks);
  const root = selectRoot(signer, options.roots ?? AMD_ROOTS, checks);
  await verifyChain(
    {
      leaf: signer,
      authorities: certificates.filter((certificate) => signerKind(certificate) === undefined),
      crls: limited(endorsements.crls ?? [], MAX_CRLS, "CRLs", checks),
      root,
      now: options.now,
      cache,
    },
    checks,
  );
  requireTcb(report, signer, checks);
  requireChip(report, signer, checks);
  requireProduct(report, signer, checks);
  await verifyReportSignature(report, signer, cache, checks);
  return proven({
    kind: "snp",
    claims: readClaims(report, signer),
    anchor: {
      name: root.ark.commonName,
      origin: root.origin,
    },
    at: options.now,
    checks: checks.checks,
  });
}

function limited<T>(
  items: readonly T[],
  most: number,
  what: string,
  checks: CheckList,
): readonly T[] {
  if (items.length > most) {
    checks.requireForm(
      "snp/certificate-malformed",
      false,
      `at most ${most} ${what}`,
      String(items.length),
    );
  }
  return items;
}

function parseCertificates(
  ders: readonly Uint8Array[],
  cache: VerifyCache,
  checks: CheckList,
): readonly Certificate[] {
  return limited(ders, MAX_CERTIFICATES, "certificates", checks).map((der) =>
    checks.attempt("snp/certificate-malformed", "X.509 certificates in DER", () =>
      cache.parsed("certificate", der, parseCertificate),
    ),
  );
}

/** The certificate of the key that the report names as its signer. */
function selectSigner(
  report: SnpReport,
  certificates: readonly Certificate[],
  checks: CheckList,
): SnpCertificate {
  const leaves = certificates.filter((certificate) => signerKind(certificate) !== undefined);
  checks.require(
    "snp/certificate-missing",
    leaves.length > 0,
    "a VCEK or VLEK certificate",
    `${leaves.length} of ${certificates.length} certificates`,
  );
  const named = SIGNING_KEYS[report.keyInfo.signingKey];
  const leaf = leaves.find((certificate) => signerKind(certificate) === named);
  const kinds = leaves.map((certificate) => signerKind(certificate)).join(", ");
  const wanted = `a certificate for signing key ${report.keyInfo.signingKey} (${named ?? "none"})`;
  checks.require("snp/signer-kind", leaf !== undefined, wanted, kinds);
  return checks.attempt("snp/certificate-extensions", "the extensions of AMD 57230", () =>
    readSnpCertificate(leaf!),
  );
}

function selectRoot(signer: SnpCertificate, roots: readonly AmdRoot[], checks: CheckList): AmdRoot {
  const product = signer.product.name;
  const root = roots.find((candidate) => candidate.product === product);
  checks.require(
    "snp/product-unknown",
    root !== undefined,
    `a root for ${product}`,
    roots.map((known) => known.product).join(", "),
  );
  return root!;
}

function requireTcb(report: SnpReport, signer: SnpCertificate, checks: CheckList): void {
  const reported = decodeTcb(signer.product.tcbForm, report.fields.reportedTcb);
  const ok = TCB_COMPONENTS.every((name) => reported[name] === signer.tcb[name]);
  checks.require(
    "snp/tcb-mismatch",
    ok,
    `REPORTED_TCB ${formatTcb(signer.tcb)}, as in the certificate`,
    formatTcb(reported),
  );
}

/** A VCEK is one chip's. The platform may mask CHIP_ID with zeros; a VLEK names no chip. */
function requireChip(report: SnpReport, signer: SnpCertificate, checks: CheckList): void {
  const { chipId } = report.fields;
  if (signer.hwid === null || isZero(chipId)) {
    checks.require(
      "snp/chip-id",
      true,
      "CHIP_ID equal to HWID, or masked",
      signer.hwid === null ? "VLEK, no HWID" : "masked",
    );
    return;
  }
  const { length } = signer.hwid;
  const ok = equalBytes(chipId.subarray(0, length), signer.hwid) && isZero(chipId.subarray(length));
  checks.require("snp/chip-id", ok, encodeHex(signer.hwid), encodeHex(chipId));
}

/** Version 2 reports name no product; the certificate alone does. */
function requireProduct(report: SnpReport, signer: SnpCertificate, checks: CheckList): void {
  const { cpuidFamId, cpuidModId } = report.fields;
  if (cpuidFamId === undefined) {
    checks.require(
      "snp/product-mismatch",
      true,
      signer.product.name,
      "report version 2, which names none",
    );
    return;
  }
  const found = `family 0x${cpuidFamId.toString(16)}, model 0x${(cpuidModId ?? 0).toString(16)}`;
  const product = reportProduct(report);
  checks.require("snp/product-unknown", product !== undefined, "CPUID of a known product", found);
  checks.require(
    "snp/product-mismatch",
    product === signer.product,
    signer.product.name,
    `${product!.name} (${found})`,
  );
}

async function verifyReportSignature(
  report: SnpReport,
  signer: SnpCertificate,
  cache: VerifyCache,
  checks: CheckList,
): Promise<void> {
  const { message, signature } = reportSignature(report);
  const spki = signer.certificate.publicKey.encoding;
  const good = await cache.verifySignature("ecdsa-p384-sha384", spki, signature, message, false);
  const found = good ? "a good signature" : isZero(signature) ? "zeros" : "another signature";
  checks.require("snp/signature", good, `a signature by the ${signer.kind.toUpperCase()}`, found);
}
