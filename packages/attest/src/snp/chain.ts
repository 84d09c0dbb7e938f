/**
 * From a VCEK or VLEK certificate up to a pinned ARK, and the ARK's revocation list.
 * Source: AMD 57230, "Certificate chain" and "CRL"; RFC 5280 section 6.1 for what a link must satisfy.
 */
import { equalBytes } from "@donjon/core/bytes";
import { type Crl, parseCrl } from "@donjon/core/crl";
import { encodeHex } from "@donjon/core/hex";
import type { Certificate } from "@donjon/core/x509";
import type { SignatureAlgorithm } from "@donjon/core/x509-fields";
import type { CheckList } from "../check.ts";
import type { AmdAuthority, AmdRoot } from "../trust/amd.ts";
import type { VerifyCache } from "../verify-cache.ts";
import type { SnpCertificate } from "./certs.ts";

export interface ChainInput {
  readonly leaf: SnpCertificate;
  /** The authorities' certificates that came along; may be empty. */
  readonly authorities: readonly Certificate[];
  /** DER. */
  readonly crls: readonly Uint8Array[];
  readonly root: AmdRoot;
  readonly now: Date;
  readonly cache: VerifyCache;
}

/** What one link needs of the authority above it. */
interface Issuer {
  readonly name: string;
  readonly serialNumber: string;
  readonly spki: Uint8Array;
}

/** @throws AttestError `evidence/refused`, or `evidence/malformed` for a CRL that cannot be read */
export async function verifyChain(input: ChainInput, checks: CheckList): Promise<void> {
  const ark = await verifyArk(input, checks);
  const intermediate = await verifyIntermediate(input, ark, checks);
  const { certificate, kind } = input.leaf;
  const issuer = certificate.issuer.commonName ?? "no name";
  checks.require(
    "snp/chain",
    issuer === intermediate.name,
    `${kind.toUpperCase()} issued by ${intermediate.name}`,
    issuer,
  );
  await verifyLink(input, kind.toUpperCase(), certificate, intermediate, checks);
  await verifyRevocation(input, ark, intermediate, checks);
}

/** The pinned ARK; a certificate of it that came along must hold the same key. */
async function verifyArk(input: ChainInput, checks: CheckList): Promise<Issuer> {
  const { root, authorities } = input;
  const ark = pinned(root.ark, input.cache);
  const given = authorities.find((authority) => authority.subject.commonName === ark.name);
  const key = given?.publicKey.encoding ?? ark.spki;
  checks.require(
    "snp/root",
    equalBytes(key, ark.spki),
    `the pinned key of ${ark.name}`,
    given === undefined ? "the pinned key" : sameOrOther(key, ark.spki),
  );
  if (given === undefined)
    requireValidity(
      root.ark.commonName,
      Date.parse(root.ark.notBefore),
      Date.parse(root.ark.notAfter),
      input.now,
      checks,
    );
  else await verifyLink(input, ark.name, given, ark, checks);
  return ark;
}

/** The ASK or ASVK: from its certificate when one came along, else pinned. */
async function verifyIntermediate(
  input: ChainInput,
  ark: Issuer,
  checks: CheckList,
): Promise<Issuer> {
  const { leaf, authorities, root } = input;
  const others = authorities.filter((authority) => authority.subject.commonName !== ark.name);
  if (others.length > 0) {
    const given = others.find((authority) =>
      equalBytes(authority.subject.encoding, leaf.certificate.issuer.encoding),
    );
    const names = others.map((authority) => authority.subject.commonName).join(", ");
    checks.require(
      "snp/chain",
      given !== undefined,
      `a certificate of ${leaf.certificate.issuer.commonName}`,
      names,
    );
    await verifyAuthority(input, given!, ark, checks);
    return {
      name: given!.subject.commonName ?? "",
      serialNumber: encodeHex(given!.serialNumber),
      spki: given!.publicKey.encoding,
    };
  }
  const known = leaf.kind === "vcek" ? root.ask : root.asvk;
  const wanted = `a pinned or given issuer of the ${leaf.kind.toUpperCase()}`;
  checks.require("snp/chain", known !== undefined, wanted, known?.commonName ?? "none");
  requireValidity(
    known!.commonName,
    Date.parse(known!.notBefore),
    Date.parse(known!.notAfter),
    input.now,
    checks,
  );
  return pinned(known!, input.cache);
}

async function verifyAuthority(
  input: ChainInput,
  given: Certificate,
  ark: Issuer,
  checks: CheckList,
): Promise<void> {
  const name = given.subject.commonName ?? "the intermediate";
  const wanted = expectedIntermediate(input);
  const mayIssue = given.basicConstraints?.ca === true && given.keyUsage?.keyCertSign === true;
  const issuer = given.issuer.commonName;
  checks.require(
    "snp/chain",
    name === wanted && issuer === ark.name && mayIssue,
    `${wanted}, issued by ${ark.name}, that may issue certificates`,
    `${name}, issued by ${issuer}, that ${mayIssue ? "may" : "may not"}`,
  );
  await verifyLink(input, name, given, ark, checks);
}

/** SEV-<product> issues VCEKs, SEV-VLEK-<product> issues VLEKs (57230). */
function expectedIntermediate({ leaf, root }: ChainInput): string {
  const known = leaf.kind === "vcek" ? root.ask : root.asvk;
  return known?.commonName ?? `${leaf.kind === "vcek" ? "SEV" : "SEV-VLEK"}-${root.product}`;
}

async function verifyLink(
  input: ChainInput,
  name: string,
  certificate: Certificate,
  issuer: Issuer,
  checks: CheckList,
): Promise<void> {
  requireAlgorithm(name, certificate.signatureAlgorithm, checks);
  const good = await input.cache.verifySignature(
    "rsa-pss-sha384",
    issuer.spki,
    certificate.signature,
    certificate.tbs,
  );
  checks.require(
    "snp/certificate-signature",
    good,
    `${name} signed by ${issuer.name}`,
    good ? "a good signature" : "another signature",
  );
  requireValidity(name, certificate.notBeforeMs, certificate.notAfterMs, input.now, checks);
}

async function verifyRevocation(
  input: ChainInput,
  ark: Issuer,
  intermediate: Issuer,
  checks: CheckList,
): Promise<void> {
  const lists = input.crls
    .map((der) =>
      checks.attempt("snp/crl-malformed", "a CRL that can be read", () =>
        input.cache.parsed("crl", der, parseCrl),
      ),
    )
    .filter((crl) => crl.issuer.commonName === ark.name);
  if (lists.length === 0) {
    checks.relax("missing-crl", "snp/crl-missing", `a CRL of ${ark.name}`, "none");
    return;
  }
  for (const crl of lists) {
    requireAlgorithm("the CRL", crl.signatureAlgorithm, checks);
    const good = await input.cache.verifySignature(
      "rsa-pss-sha384",
      ark.spki,
      crl.signature,
      crl.tbs,
    );
    checks.require(
      "snp/crl-signature",
      good,
      `a CRL signed by ${ark.name}`,
      good ? "a good signature" : "another signature",
    );
    requireFresh(crl, input.now, checks);
    const revoked = [intermediate, ark].filter(({ serialNumber }) => crl.revoked.has(serialNumber));
    const found = revoked
      .map(({ name, serialNumber }) => `${name}, serial ${serialNumber}`)
      .join("; ");
    checks.require(
      "snp/revoked",
      revoked.length === 0,
      "no certificate of the chain listed",
      found || "none listed",
    );
  }
}

function requireFresh(crl: Crl, now: Date, checks: CheckList): void {
  const next = crl.nextUpdateMs;
  const wanted = `a CRL valid at ${now.toISOString()}`;
  const found = `valid from ${iso(crl.thisUpdateMs)} to ${next === undefined ? "no stated time" : iso(next)}`;
  const fresh = next !== undefined && crl.thisUpdateMs <= now.getTime() && now.getTime() <= next;
  if (fresh) checks.require("snp/crl-stale", true, wanted, found);
  else checks.relax("stale-crl", "snp/crl-stale", wanted, found);
}

function requireValidity(
  name: string,
  fromMs: number,
  toMs: number,
  now: Date,
  checks: CheckList,
): void {
  const valid = fromMs <= now.getTime() && now.getTime() <= toMs;
  checks.require(
    "snp/certificate-expired",
    valid,
    `${name} valid at ${now.toISOString()}`,
    `valid from ${iso(fromMs)} to ${iso(toMs)}`,
  );
}

function requireAlgorithm(name: string, algorithm: SignatureAlgorithm, checks: CheckList): void {
  const ok =
    algorithm.kind === "rsa-pss" && algorithm.hash === "SHA-384" && algorithm.saltLength === 48;
  const found =
    algorithm.kind === "rsa-pss"
      ? `RSASSA-PSS, ${algorithm.hash}, salt ${algorithm.saltLength}`
      : algorithm.kind === "other"
        ? algorithm.oid
        : `${algorithm.kind}, ${algorithm.hash}`;
  checks.require(
    "snp/certificate-algorithm",
    ok,
    `${name} signed with RSASSA-PSS, SHA-384, salt 48`,
    found,
  );
}

function pinned(authority: AmdAuthority, cache: VerifyCache): Issuer {
  return {
    name: authority.commonName,
    serialNumber: authority.serialNumber,
    spki: cache.pinned(authority.spki),
  };
}

function sameOrOther(a: Uint8Array, b: Uint8Array): string {
  return equalBytes(a, b) ? "the pinned key" : "another key";
}

function iso(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
