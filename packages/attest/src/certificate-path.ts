/**
 * Certificate paths of ECDSA vendors (Intel, AWS): a leaf, its authorities in order, the root's key.
 *
 * Source: RFC 5280 section 6, without policies and name constraints, which no vendor of attestation keys uses; a
 * critical extension that says such a thing ends the path.
 */
import { equalBytes } from "@donjon/core/bytes";
import { parseEcdsaSignature } from "@donjon/core/ecdsa";
import { DonjonError } from "@donjon/core/errors";
import { OID } from "@donjon/core/oid";
import type { Certificate } from "@donjon/core/x509";
import type { PublicKeyInfo, SignatureAlgorithm } from "@donjon/core/x509-fields";
import type { CheckList } from "./check.ts";
import type { ReasonCode } from "./reason.ts";
import type { VerifyCache } from "./verify-cache.ts";

export interface PathReasons {
  readonly chain: ReasonCode;
  readonly expired: ReasonCode;
  readonly signature: ReasonCode;
}

/** Something with a signature beside it: a certificate or a CRL. */
export interface Signed {
  readonly tbs: Uint8Array;
  readonly signatureAlgorithm: SignatureAlgorithm;
  readonly signature: Uint8Array;
}

const UNDERSTOOD: ReadonlySet<string> = new Set([OID.basicConstraints, OID.keyUsage]);

/** Whether `signed` is signed with ECDSA by `key`. An algorithm that does not suit the key is no signature. */
export async function isSignedBy(
  cache: VerifyCache,
  signed: Signed,
  key: PublicKeyInfo,
): Promise<boolean> {
  const { kind, hash } = { hash: undefined, ...signed.signatureAlgorithm };
  const p256 = key.kind === "p256" && hash === "SHA-256";
  const p384 = key.kind === "p384" && hash === "SHA-384";
  if (kind !== "ecdsa" || !(p256 || p384)) return false;
  try {
    const scheme = p256 ? "ecdsa-p256-sha256" : "ecdsa-p384-sha384";
    const raw = parseEcdsaSignature(signed.signature, p256 ? 32 : 48);
    return await cache.verifySignature(scheme, key.encoding, raw, signed.tbs);
  } catch (error) {
    if (error instanceof DonjonError) return false;
    throw error;
  }
}

/**
 * Starts the signature checks of a path, leaf first, so that they run side by side. The last certificate is checked
 * against its own key: whether that key is a pinned root is for the caller to say.
 */
export function startSignatures(
  cache: VerifyCache,
  path: readonly Certificate[],
): Promise<boolean>[] {
  return path.map((certificate, index) =>
    isSignedBy(cache, certificate, (path[index + 1] ?? certificate).publicKey),
  );
}

/** Requires every link of a path: names, authority, validity at `now`, signature. */
export async function requirePath(
  checks: CheckList,
  reasons: PathReasons,
  path: readonly Certificate[],
  signatures: readonly Promise<boolean>[],
  now: Date,
): Promise<void> {
  for (const [index, certificate] of path.entries()) {
    const issuer = path[index + 1] ?? certificate;
    const name = nameOf(certificate);
    const connected = equalBytes(certificate.issuer.encoding, issuer.subject.encoding);
    checks.require(
      reasons.chain,
      connected,
      `${name} issued by ${nameOf(issuer)}`,
      connected ? "it is" : "another issuer",
    );
    const fault = index === 0 ? criticalFault(certificate) : authorityFault(certificate, index - 1);
    checks.require(
      reasons.chain,
      fault === undefined,
      `${name} may be used here`,
      fault ?? "it may",
    );
    requireValid(
      checks,
      reasons.expired,
      name,
      certificate.notBeforeMs,
      certificate.notAfterMs,
      now,
    );
    const good = (await signatures[index]) === true;
    checks.require(
      reasons.signature,
      good,
      `${name} signed by ${nameOf(issuer)}`,
      good ? "it is" : "a bad signature",
    );
  }
}

/** Requires that `now` lies between two moments, both included. */
export function requireValid(
  checks: CheckList,
  reason: ReasonCode,
  name: string,
  fromMs: number,
  untilMs: number,
  now: Date,
): void {
  const nowMs = now.getTime();
  const wanted = `${name} valid at ${isoTime(nowMs)}`;
  checks.require(
    reason,
    fromMs <= nowMs && nowMs <= untilMs,
    wanted,
    `${isoTime(fromMs)} to ${isoTime(untilMs)}`,
  );
}

/** For messages: the common name, or words that say there is none. */
export function nameOf(certificate: Certificate): string {
  return `'${certificate.subject.commonName ?? "a certificate without common name"}'`;
}

export function isoTime(timeMs: number): string {
  return Number.isNaN(timeMs) ? "no time" : new Date(timeMs).toISOString();
}

/** Why a certificate with `below` authorities between it and the leaf may not stand there. */
function authorityFault(certificate: Certificate, below: number): string | undefined {
  const { basicConstraints, keyUsage } = certificate;
  if (basicConstraints?.ca !== true) return "it is no certificate authority";
  if ((basicConstraints.pathLength ?? below) < below) return "its path length is exceeded";
  if (keyUsage?.keyCertSign !== true) return "its key may not sign certificates";
  return criticalFault(certificate);
}

function criticalFault(certificate: Certificate): string | undefined {
  for (const [oid, { critical }] of certificate.extensions) {
    if (critical && !UNDERSTOOD.has(oid)) return `critical extension ${oid} is not understood`;
  }
  return undefined;
}
