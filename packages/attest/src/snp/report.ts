/** Is it a well-formed SEV-SNP attestation report? Source: AMD 56860, ATTESTATION_REPORT. */
import { type DecodedBits, decodeBits, unknownBits } from "@donjon/core/bits";
import { concatBytes, reverseBytes } from "@donjon/core/bytes";
import { type Decoded, decodeLayout } from "@donjon/core/layout";
import { CheckList } from "../check.ts";
import { type AmdProduct, productByCpuid } from "../trust/amd.ts";
import {
  ATTESTATION_REPORT,
  GUEST_POLICY,
  KEY_INFO,
  PLATFORM_INFO,
  SIGNED_BYTES,
} from "./layouts.ts";

export const REPORT_BYTES = 1184;
const OLDEST_VERSION = 2;
const NEWEST_VERSION = 5;

/** Relaxations of `parseReport`, by name. */
export type SnpParseRelaxation =
  /** Read a report newer than version 5 as version 5; its reserved octets may then mean something. */
  "newer-version";

export interface SnpReport {
  readonly bytes: Uint8Array;
  readonly fields: Decoded<typeof ATTESTATION_REPORT>;
  readonly policy: DecodedBits<typeof GUEST_POLICY>;
  readonly platformInfo: DecodedBits<typeof PLATFORM_INFO>;
  /** Bits of PLATFORM_INFO that this library has no name for. Genuine reports have them: Turin sets bit 6. */
  readonly unknownPlatformInfo: bigint;
  readonly keyInfo: DecodedBits<typeof KEY_INFO>;
}

/**
 * Reads a bare report of 1184 octets, version 2 to 5. Says nothing about who made it.
 * @throws AttestError `evidence/malformed`: `snp/length`, `snp/version`, `snp/reserved`, `snp/signature-algorithm`
 */
export function parseReport(
  bytes: Uint8Array,
  options: { readonly allow?: readonly SnpParseRelaxation[] } = {},
): SnpReport {
  return readReport(bytes, new CheckList(options.allow));
}

/** `parseReport` with the checks recorded in the caller's list. */
export function readReport(bytes: Uint8Array, checks: CheckList): SnpReport {
  checks.requireForm(
    "snp/length",
    bytes.length === REPORT_BYTES,
    `${REPORT_BYTES} octets`,
    `${bytes.length} octets`,
  );
  const version = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const newer = version > NEWEST_VERSION && checks.allows("newer-version");
  if (newer)
    checks.relax(
      "newer-version",
      "snp/version",
      `version ${OLDEST_VERSION} to ${NEWEST_VERSION}`,
      `version ${version}`,
    );
  else {
    const known = version >= OLDEST_VERSION && version <= NEWEST_VERSION;
    checks.requireForm(
      "snp/version",
      known,
      `version ${OLDEST_VERSION} to ${NEWEST_VERSION}`,
      `version ${version}`,
    );
  }
  const fields = checks.attempt("snp/reserved", "reserved octets zero", () =>
    decodeLayout(ATTESTATION_REPORT, bytes, { version, reserved: newer ? "ignore" : "refuse" }),
  );
  const report = {
    bytes,
    fields,
    policy: decodeBits(GUEST_POLICY, fields.policy),
    platformInfo: decodeBits(PLATFORM_INFO, fields.platformInfo),
    unknownPlatformInfo: unknownBits(PLATFORM_INFO, fields.platformInfo),
    keyInfo: decodeBits(KEY_INFO, BigInt(fields.keyInfo)),
  };
  if (!newer) refuseReservedBits(report, checks);
  const algorithm = fields.signatureAlgo;
  checks.requireForm(
    "snp/signature-algorithm",
    algorithm === 1,
    "1, ECDSA P-384 with SHA-384",
    String(algorithm),
  );
  return report;
}

/** The product that the report itself names; version 2 names none. */
export function reportProduct(report: SnpReport): AmdProduct | undefined {
  const { cpuidFamId, cpuidModId } = report.fields;
  return cpuidFamId === undefined || cpuidModId === undefined
    ? undefined
    : productByCpuid(cpuidFamId, cpuidModId);
}

/** The octets that are signed, and the signature as WebCrypto takes it: r and s, 48 octets each, big-endian. */
export function reportSignature(report: SnpReport): {
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
} {
  const { signatureR, signatureS } = report.fields;
  return {
    message: report.bytes.subarray(0, SIGNED_BYTES),
    signature: concatBytes(reverseBytes(signatureR), reverseBytes(signatureS)),
  };
}

function refuseReservedBits(report: Omit<SnpReport, "bytes">, checks: CheckList): void {
  const policy = unknownBits(GUEST_POLICY, report.fields.policy);
  const keyInfo = unknownBits(KEY_INFO, BigInt(report.fields.keyInfo));
  const ok = policy === 0n && keyInfo === 0n && report.policy.reservedOne;
  const found = `POLICY 0x${report.fields.policy.toString(16)}, KEY_INFO 0x${report.fields.keyInfo.toString(16)}`;
  checks.requireForm("snp/reserved", ok, "reserved octets and bits zero, POLICY bit 17 one", found);
}
