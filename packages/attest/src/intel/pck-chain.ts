/** Who made the key that vouches for the quoting enclave: PCK certificate, its authority, the root. */
import { decodeBase64 } from "@donjon/core/base64";
import { equalBytes } from "@donjon/core/bytes";
import { type Certificate, parseCertificate } from "@donjon/core/x509";
import { requirePath, startSignatures } from "../certificate-path.ts";
import type { CheckList } from "../check.ts";
import type { ReasonCode } from "../reason.ts";
import { INTEL_NAME, type IntelRoot } from "../trust/intel.ts";
import type { VerifyCache } from "../verify-cache.ts";
import { type IntelCollateral, parseChainBytes } from "./collateral.ts";
import { type PckExtension, parsePckExtension } from "./pck-extension.ts";
import type { CertificationData } from "./quote.ts";

/** Certification data types (QuoteGenReference A.4, table 9). */
const PCK_CHAIN = 5;
const PPID_FORMS: readonly number[] = [1, 2, 3];

export interface PckChain {
  /** PCK certificate, authority, root. */
  readonly path: readonly [Certificate, Certificate, Certificate];
  readonly signatures: readonly Promise<boolean>[];
  readonly extension: PckExtension;
  readonly root: IntelRoot;
}

/** Reads the chain from the quote, or from the collateral when the quote only names its platform. */
export function readPckChain(
  certification: CertificationData,
  collateral: IntelCollateral,
  roots: readonly IntelRoot[],
  cache: VerifyCache,
  checks: CheckList,
): PckChain {
  const path = readCertificates(certification, collateral, cache, checks);
  const [leaf, authority, rootCertificate] = path;
  const extension = checks.attempt("intel/pck-malformed", "the SGX extensions", () =>
    cache.parsed("pck-extension", leaf.encoding, () => parsePckExtension(leaf)),
  );
  requireName(checks, "intel/pck-name", leaf, [INTEL_NAME.pck]);
  requireName(checks, "intel/pck-name", authority, INTEL_NAME.pckAuthorities);
  const root = roots.find((one) => isRoot(rootCertificate, one));
  const wanted = roots.map((one) => `the key of '${one.commonName}'`).join(" or ");
  checks.require(
    "intel/pck-chain",
    root !== undefined,
    wanted,
    root === undefined ? "another root" : "it is",
  );
  return { path, signatures: startSignatures(cache, path), extension, root: root! };
}

export function requirePckChain(
  checks: CheckList,
  { path, signatures }: PckChain,
  now: Date,
): Promise<void> {
  const reasons = {
    chain: "intel/pck-chain",
    expired: "intel/pck-expired",
    signature: "intel/pck-signature",
  } as const;
  return requirePath(checks, reasons, path, signatures, now);
}

/** Whether a certificate holds the key of a pinned root under its name. */
export function isRoot(certificate: Certificate, root: IntelRoot): boolean {
  return (
    certificate.subject.commonName === root.commonName &&
    equalBytes(certificate.publicKey.encoding, decodeBase64(root.spki))
  );
}

export function requireName(
  checks: CheckList,
  reason: ReasonCode,
  certificate: Certificate,
  endings: readonly string[],
): void {
  const name = certificate.subject.commonName ?? "";
  const good = endings.some((ending) => name.endsWith(ending));
  checks.require(reason, good, `a name that ends with '${endings.join("' or '")}'`, `'${name}'`);
}

function readCertificates(
  certification: CertificationData,
  collateral: IntelCollateral,
  cache: VerifyCache,
  checks: CheckList,
): PckChain["path"] {
  const wanted = "PCK certificate, authority and root";
  const carried = certification.type === PCK_CHAIN;
  const known = carried || PPID_FORMS.includes(certification.type);
  checks.requireForm(
    "intel/pck-malformed",
    known,
    "certification data of type 1, 2, 3 or 5",
    `type ${certification.type}`,
  );
  const given = carried || collateral.pckChain !== undefined;
  checks.require(
    "intel/pck-missing",
    given,
    wanted,
    given ? "given" : `none, and type ${certification.type} carries none`,
  );
  const path = checks.attempt("intel/pck-malformed", wanted, () => {
    const parse = (der: Uint8Array) => cache.parsed("certificate", der, parseCertificate);
    return carried
      ? cache.parsed("pck-chain", certification.data, (data) => parseChainBytes(data).map(parse))
      : collateral.pckChain!.map(parse);
  });
  checks.requireForm(
    "intel/pck-malformed",
    path.length === 3,
    wanted,
    `${path.length} certificates`,
  );
  return inOrder(path) as unknown as PckChain["path"];
}

/** PCK certificate first: Intel's sample set starts with the root. */
function inOrder(path: readonly Certificate[]): readonly Certificate[] {
  const [first] = path;
  const rootFirst =
    first !== undefined && equalBytes(first.issuer.encoding, first.subject.encoding);
  return rootFirst ? path.toReversed() : path;
}
