import type { DecodedBits } from "@donjon/core/bits";
import { isZero } from "@donjon/core/bytes";
import { encodeHex } from "@donjon/core/hex";
import type { AmdProductName } from "../trust/amd.ts";
import type { SignerKind, SnpCertificate } from "./certs.ts";
import type { GUEST_POLICY, PLATFORM_INFO } from "./layouts.ts";
import type { SnpReport } from "./report.ts";
import { decodeTcb, type Tcb } from "./tcb.ts";

/** Version of the firmware ABI, written `major.minor.build`. */
export interface FirmwareVersion {
  readonly major: number;
  readonly minor: number;
  readonly build: number;
}

/** What an SEV-SNP report says, as plain JSON values; byte strings are lower-case hexadecimal. Names are AMD's. */
export interface SnpClaims {
  readonly product: AmdProductName;
  readonly reportVersion: number;
  readonly signer: SignerKind;
  readonly guestSvn: number;
  readonly vmpl: number;
  readonly policy: DecodedBits<typeof GUEST_POLICY>;
  readonly platformInfo: DecodedBits<typeof PLATFORM_INFO>;
  /** Bits of PLATFORM_INFO without a name here, as a hexadecimal number; `0` when none. */
  readonly unknownPlatformInfo: string;
  readonly authorKeyEn: boolean;
  readonly maskChipKey: boolean;
  readonly familyId: string;
  readonly imageId: string;
  readonly reportData: string;
  readonly measurement: string;
  readonly hostData: string;
  readonly idKeyDigest: string;
  readonly authorKeyDigest: string;
  readonly reportId: string;
  readonly reportIdMa: string;
  /** `null` when the platform masks it. */
  readonly chipId: string | null;
  /** `null` unless a VLEK signed: the cloud that the key belongs to. */
  readonly cspId: string | null;
  readonly tcb: {
    readonly current: Tcb;
    readonly reported: Tcb;
    readonly committed: Tcb;
    readonly launch: Tcb;
  };
  readonly currentVersion: FirmwareVersion;
  readonly committedVersion: FirmwareVersion;
  /** Hexadecimal numbers; `null` before report version 5. */
  readonly launchMitVector: string | null;
  readonly currentMitVector: string | null;
  /** `null` in report version 2. */
  readonly cpuid: {
    readonly family: number;
    readonly model: number;
    readonly stepping: number;
  } | null;
}

/** The claims of a report whose signer is known: only the certificate's product tells how a TCB is laid out. */
export function readClaims(
  report: SnpReport,
  signer: Pick<SnpCertificate, "product" | "kind" | "cspId">,
): SnpClaims {
  const { fields } = report;
  const form = signer.product.tcbForm;
  return {
    product: signer.product.name,
    reportVersion: fields.version,
    signer: signer.kind,
    guestSvn: fields.guestSvn,
    vmpl: fields.vmpl,
    policy: report.policy,
    platformInfo: report.platformInfo,
    unknownPlatformInfo: report.unknownPlatformInfo.toString(16),
    authorKeyEn: report.keyInfo.authorKeyEn,
    maskChipKey: report.keyInfo.maskChipKey,
    familyId: encodeHex(fields.familyId),
    imageId: encodeHex(fields.imageId),
    reportData: encodeHex(fields.reportData),
    measurement: encodeHex(fields.measurement),
    hostData: encodeHex(fields.hostData),
    idKeyDigest: encodeHex(fields.idKeyDigest),
    authorKeyDigest: encodeHex(fields.authorKeyDigest),
    reportId: encodeHex(fields.reportId),
    reportIdMa: encodeHex(fields.reportIdMa),
    chipId: isZero(fields.chipId) ? null : encodeHex(fields.chipId),
    cspId: signer.cspId,
    tcb: {
      current: decodeTcb(form, fields.currentTcb),
      reported: decodeTcb(form, fields.reportedTcb),
      committed: decodeTcb(form, fields.committedTcb),
      launch: decodeTcb(form, fields.launchTcb),
    },
    currentVersion: {
      major: fields.currentMajor,
      minor: fields.currentMinor,
      build: fields.currentBuild,
    },
    committedVersion: {
      major: fields.committedMajor,
      minor: fields.committedMinor,
      build: fields.committedBuild,
    },
    launchMitVector: fields.launchMitVector?.toString(16) ?? null,
    currentMitVector: fields.currentMitVector?.toString(16) ?? null,
    cpuid:
      fields.cpuidFamId === undefined
        ? null
        : {
            family: fields.cpuidFamId,
            model: fields.cpuidModId ?? 0,
            stepping: fields.cpuidStep ?? 0,
          },
  };
}
