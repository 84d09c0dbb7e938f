/** Is it genuine? Nitro attestation documents, of Nitro Enclaves and NitroTPM. */
import { isZero } from "@donjon/core/bytes";
import { encodeHex } from "@donjon/core/hex";
import { type Certificate, parseCertificate } from "@donjon/core/x509";
import { requirePath, startSignatures } from "../certificate-path.ts";
import { CheckList } from "../check.ts";
import { NITRO_ROOT_G1, type NitroRoot } from "../trust/nitro.ts";
import { proven, type Verified, type VerifyOptions } from "../verified.ts";
import { VerifyCache } from "../verify-cache.ts";
import { type NitroDocument, parseNitroDocument } from "./document.ts";

export interface NitroClaims
  extends Pick<NitroDocument, "source" | "moduleId" | "pcrs" | "publicKey" | "userData" | "nonce"> {
  /** When the hypervisor says the document was made. */
  readonly timestamp: Date;
  /** The enclave was started in debug mode: its console is open to the host, and PCR0 is all zero. Always false for NitroTPM. */
  readonly debug: boolean;
  /** Until when the signing certificate is valid; it lives for three hours. */
  readonly expires: Date;
}

export interface NitroVerifyOptions extends VerifyOptions<never> {
  /** Instead of AWS's: for simulated evidence. The result says that they were the caller's. */
  readonly roots?: readonly NitroRoot[];
}

export type VerifiedNitro = Verified<"nitro", NitroClaims>;

const REASONS = {
  chain: "nitro/chain",
  expired: "nitro/certificate-expired",
  signature: "nitro/certificate-signature",
} as const;

/**
 * Proves that a document was made by AWS's hypervisor. Offline. The signing certificate lives for three hours: to look
 * at an old document, give its own timestamp as `now` and bound its age by policy.
 *
 * @throws AttestError `evidence/malformed` or `evidence/refused`, with one of `NITRO_REASONS`
 */
export async function verifyNitro(
  bytes: Uint8Array,
  options: NitroVerifyOptions,
): Promise<VerifiedNitro> {
  const checks = new CheckList(options.allow);
  const cache = options.cache ?? new VerifyCache();
  const { now, roots = [NITRO_ROOT_G1] } = options;
  // A copy: the caller may write to its bytes while WebCrypto works.
  const document = parseNitroDocument(bytes.slice());
  const path = readPath(document, cache, checks);
  const leaf = path[0]!;
  const signatures = startSignatures(cache, path);
  const signature = cache.verifySignature(
    "ecdsa-p384-sha384",
    leaf.publicKey.encoding,
    document.signature,
    document.signed,
    false,
  );

  const root = await requireRoot(path.at(-1)!, roots, checks);
  await requirePath(checks, REASONS, path, signatures, now);
  const good = await signature;
  checks.require(
    "nitro/signature",
    good,
    "a document signed by its certificate's key",
    good ? "it is" : "a bad signature",
  );
  const { source, moduleId, pcrs, publicKey, userData, nonce } = document;
  const pcr0 = pcrs.get(0);
  return proven({
    kind: "nitro",
    claims: {
      source,
      moduleId,
      timestamp: new Date(document.timestampMs),
      pcrs,
      debug: source === "enclave" && (pcr0 === undefined || isZero(pcr0)),
      publicKey,
      userData,
      nonce,
      expires: new Date(leaf.notAfterMs),
    },
    anchor: { name: root.commonName, origin: options.roots === undefined ? "vendor" : "caller" },
    at: now,
    checks: checks.checks,
  });
}

/** Leaf first, root last. */
function readPath(
  { certificate, cabundle }: NitroDocument,
  cache: VerifyCache,
  checks: CheckList,
): readonly Certificate[] {
  return checks.attempt("nitro/certificate-malformed", "X.509 certificates in DER", () =>
    [certificate, ...cabundle.toReversed()].map((der) =>
      cache.parsed("certificate", der, parseCertificate),
    ),
  );
}

async function requireRoot(
  certificate: Certificate,
  roots: readonly NitroRoot[],
  checks: CheckList,
): Promise<NitroRoot> {
  const encoding = new Uint8Array(certificate.encoding);
  const digest = encodeHex(new Uint8Array(await crypto.subtle.digest("SHA-256", encoding)));
  const root = roots.find((one) => one.certificateSha256 === digest);
  const wanted = roots.map((one) => one.certificateSha256).join(" or ");
  checks.require(
    "nitro/root",
    root !== undefined,
    `a root certificate with SHA-256 ${wanted}`,
    digest,
  );
  return root!;
}
