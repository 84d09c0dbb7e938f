/**
 * Is it genuine? What SGX and TDX quotes have in common, in the order of `reasons.ts`: PCK chain, revocation, TCB
 * info, QE identity, QE report, quote signature. The TCB levels are for `sgx/` and `tdx/`.
 *
 * Source: Intel Quote Verification Library, 4.1.2.5.
 */
import { concatBytes, equalBytes, isZero } from "@donjon/core/bytes";
import { decodeHex, encodeHex } from "@donjon/core/hex";
import { CheckList } from "../check.ts";
import { INTEL_SGX_ROOT, type IntelRoot } from "../trust/intel.ts";
import type { Anchor, VerifyOptions } from "../verified.ts";
import { VerifyCache } from "../verify-cache.ts";
import type { IntelCollateral } from "./collateral.ts";
import {
  type EnclaveIdentity,
  identityMismatch,
  parseEnclaveIdentity,
} from "./enclave-identity.ts";
import { readPckChain, requirePckChain } from "./pck-chain.ts";
import type { PckExtension } from "./pck-extension.ts";
import { parseQuote, type Quote, type TeeType } from "./quote.ts";
import { readCrl, requireNotRevoked } from "./revocation.ts";
import { readSignedCollateral, requireSignedCollateral } from "./signed-collateral.ts";
import { parseTcbInfo, type TcbInfo } from "./tcb-info.ts";

/** Checks that a caller may give up, by name. What is given up is missing from the claims or marked in the checks. */
export type IntelRelaxation =
  /** Accept that nobody says whether a certificate is revoked. */
  | "missing-crl"
  /** Accept a CRL outside its validity; what it lists is still refused. */
  | "stale-crl"
  /** Accept that nobody says how good the platform's TCB is. */
  | "missing-tcb-info"
  | "stale-tcb-info"
  /** Accept a quoting enclave that is only known to run on an Intel platform. */
  | "missing-qe-identity"
  | "stale-qe-identity";

export interface IntelVerifyOptions extends VerifyOptions<IntelRelaxation> {
  /** Instead of Intel's: for simulated evidence. The result says that they were the caller's. */
  readonly roots?: readonly IntelRoot[];
}

/** A quote whose signatures hold, and what is needed to evaluate its TCB. */
export interface ProvenQuote {
  readonly quote: Quote;
  readonly pck: PckExtension;
  /** Common name of the PCK certificate's authority. */
  readonly authority: string;
  /** `undefined` when missing and allowed. */
  readonly tcbInfo: TcbInfo | undefined;
  readonly qeIdentity: EnclaveIdentity | undefined;
  /** When the first piece of collateral ends to be valid; infinite without any. */
  readonly expiresMs: number;
  readonly anchor: Anchor;
  readonly checks: CheckList;
}

/** `30...04`: SubjectPublicKeyInfo of a P-256 key up to its coordinates (RFC 5480). */
const P256_SPKI_PREFIX = "3059301306072a8648ce3d020106082a8648ce3d03010703420004";
/** QuoteGenReference A.4: the vendor whose quoting enclaves this library knows. */
const INTEL_QE_VENDOR = "939a7233f79c4ca9940a0db3957f0607";

export async function verifyQuote(
  teeType: TeeType,
  bytes: Uint8Array,
  collateral: IntelCollateral,
  options: IntelVerifyOptions,
): Promise<ProvenQuote> {
  const checks = new CheckList(options.allow);
  const cache = options.cache ?? new VerifyCache();
  const { now, roots = [INTEL_SGX_ROOT] } = options;
  // A copy: the caller may write to its bytes while WebCrypto works.
  const quote = parseQuote(bytes.slice());
  requireHeader(quote, teeType, checks);

  // Read everything first: the signature checks start as soon as their input is known and run side by side.
  const pck = readPckChain(quote.certification, collateral, roots, cache, checks);
  const [leaf, authority, root] = pck.path;
  const rootCrl = readCrl("root-crl", collateral.rootCrl, root, cache, checks);
  const pckCrl = readCrl("pck-crl", collateral.pckCrl, authority, cache, checks);
  const read = { root, cache, checks };
  const tcbInfo = readTcbInfo(collateral, read);
  const qeIdentity = readQeIdentity(collateral, read);
  const signatures = startQuoteSignatures(quote, leaf.publicKey.encoding, cache);

  await requirePckChain(checks, pck, now);
  const signers = [tcbInfo, qeIdentity].flatMap((one) => one?.path.slice(0, 1) ?? []);
  if (rootCrl !== undefined) await requireNotRevoked(checks, rootCrl, [authority, ...signers], now);
  if (pckCrl !== undefined) await requireNotRevoked(checks, pckCrl, [leaf], now);
  if (tcbInfo !== undefined) {
    await requireSignedCollateral(checks, tcbInfo, now);
    requirePlatform(tcbInfo.value, teeType, pck.extension, checks);
  }
  if (qeIdentity !== undefined) await requireSignedCollateral(checks, qeIdentity, now);
  await requireQuotingEnclave(quote, qeIdentity?.value, signatures, checks);
  const good = await signatures.quote;
  checks.require(
    "intel/quote-signature",
    good,
    "a quote signed by the attestation key",
    good ? "it is" : "a bad signature",
  );
  const ends = [tcbInfo, qeIdentity].map(
    (one) => one?.value.nextUpdateMs ?? Number.POSITIVE_INFINITY,
  );
  return {
    quote,
    pck: pck.extension,
    authority: authority.subject.commonName!,
    tcbInfo: tcbInfo?.value,
    qeIdentity: qeIdentity?.value,
    expiresMs: Math.min(
      ...ends,
      ...[rootCrl, pckCrl].map((one) => one?.crl.nextUpdateMs ?? Number.POSITIVE_INFINITY),
    ),
    anchor: {
      name: pck.root.commonName,
      origin: options.roots === undefined ? "vendor" : "caller",
    },
    checks,
  };
}

type Reading = {
  readonly root: Parameters<typeof readSignedCollateral>[3];
  readonly cache: VerifyCache;
  readonly checks: CheckList;
};

function readTcbInfo(collateral: IntelCollateral, { root, cache, checks }: Reading) {
  const { tcbInfo, tcbInfoIssuerChain } = collateral;
  return readSignedCollateral(
    "tcb-info",
    tcbInfo,
    tcbInfoIssuerChain,
    root,
    parseTcbInfo,
    cache,
    checks,
  );
}

function readQeIdentity(collateral: IntelCollateral, { root, cache, checks }: Reading) {
  const { qeIdentity, qeIdentityIssuerChain } = collateral;
  return readSignedCollateral(
    "qe-identity",
    qeIdentity,
    qeIdentityIssuerChain,
    root,
    parseEnclaveIdentity,
    cache,
    checks,
  );
}

interface QuoteSignatures {
  readonly qeReport: Promise<boolean>;
  /** SHA-256 of attestation key and authentication data. */
  readonly binding: Promise<ArrayBuffer>;
  readonly quote: Promise<boolean>;
}

function startQuoteSignatures(
  quote: Quote,
  pckKey: Uint8Array,
  cache: VerifyCache,
): QuoteSignatures {
  const attestationKey = concatBytes(decodeHex(P256_SPKI_PREFIX), quote.attestationKey);
  const scheme = "ecdsa-p256-sha256";
  return {
    // One report vouches for all quotes that a quoting enclave signs with one key.
    qeReport: cache.verifySignature(scheme, pckKey, quote.qeReportSignature, quote.qeReportBytes),
    binding: crypto.subtle.digest(
      "SHA-256",
      concatBytes(quote.attestationKey, quote.qeAuthenticationData),
    ),
    quote: cache.verifySignature(scheme, attestationKey, quote.signature, quote.signed, false),
  };
}

function requireHeader(quote: Quote, teeType: TeeType, checks: CheckList): void {
  checks.require("intel/tee-type", quote.teeType === teeType, teeType, quote.teeType);
  const vendor = encodeHex(quote.qeVendorId);
  checks.require("intel/qe-vendor", vendor === INTEL_QE_VENDOR, INTEL_QE_VENDOR, vendor);
}

function requirePlatform(
  info: TcbInfo,
  teeType: TeeType,
  pck: PckExtension,
  checks: CheckList,
): void {
  const reason = "intel/tcb-info-mismatch";
  const wantedVersion = teeType === "tdx" ? "version 3 for tdx" : "version 2 or 3 for sgx";
  const versionGood = info.version === 3 || (info.version === 2 && teeType === "sgx");
  checks.require(
    reason,
    versionGood && info.tee === teeType,
    wantedVersion,
    `version ${info.version} for ${info.tee}`,
  );
  const fmspc = encodeHex(pck.fmspc);
  checks.require(
    reason,
    equalBytes(info.fmspc, pck.fmspc),
    `FMSPC ${fmspc}`,
    encodeHex(info.fmspc),
  );
  const pceId = encodeHex(info.pceId ?? new Uint8Array());
  checks.require(
    reason,
    pceId === encodeHex(pck.pceId),
    `PCE-ID ${encodeHex(pck.pceId)}`,
    pceId || "none",
  );
}

async function requireQuotingEnclave(
  quote: Quote,
  identity: EnclaveIdentity | undefined,
  signatures: QuoteSignatures,
  checks: CheckList,
): Promise<void> {
  const signed = await signatures.qeReport;
  checks.require(
    "intel/qe-report-signature",
    signed,
    "a QE report signed by the PCK",
    signed ? "it is" : "a bad signature",
  );
  const digest = encodeHex(new Uint8Array(await signatures.binding));
  const { reportData } = quote.qeReport;
  const bound = encodeHex(reportData.subarray(0, 32)) === digest && isZero(reportData.subarray(32));
  checks.require("intel/qe-report-binding", bound, `${digest} and zeros`, encodeHex(reportData));
  if (identity === undefined) return;
  const wantedId = quote.teeType === "tdx" ? "TD_QE" : "QE";
  const rightId = identity.id === wantedId && (quote.teeType === "sgx" || identity.version === 2);
  checks.require(
    "intel/qe-identity-mismatch",
    rightId,
    `identity of ${wantedId}`,
    `${identity.id}, version ${identity.version}`,
  );
  const mismatch = identityMismatch(identity, quote.qeReport);
  checks.require(
    "intel/qe-identity-mismatch",
    mismatch === undefined,
    "the enclave of the QE identity",
    mismatch ?? "it is",
  );
}
