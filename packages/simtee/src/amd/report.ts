/**
 * Writes and signs SEV-SNP reports by hand, offset by offset from AMD 56860, so that a wrong layout table of the
 * verifier cannot agree with itself.
 */
import { type KeyObject, sign } from "node:crypto";

export interface ReportOptions {
  readonly version: number;
  readonly guestSvn?: number;
  readonly policy?: bigint;
  readonly vmpl?: number;
  readonly signatureAlgo?: number;
  readonly platformInfo?: bigint;
  /** 0 VCEK, 1 VLEK, 7 none. */
  readonly signingKey?: number;
  readonly reportData: Uint8Array;
  readonly measurement: Uint8Array;
  readonly hostData?: Uint8Array;
  readonly idKeyDigest?: Uint8Array;
  readonly authorKeyDigest?: Uint8Array;
  readonly chipId?: Uint8Array;
  /** TCB_VERSION, 8 octets. */
  readonly currentTcb: Uint8Array;
  readonly reportedTcb: Uint8Array;
  readonly committedTcb: Uint8Array;
  readonly launchTcb: Uint8Array;
  /** Versions 3 and later. */
  readonly cpuid?: readonly [family: number, model: number, stepping: number];
  /** Version 5: at launch and now. */
  readonly mitVectors?: readonly [launch: bigint, current: bigint];
}

const REPORT_BYTES = 1184;
const SIGNED_BYTES = 0x2a0;
/** SMT allowed, reserved bit 17 set, ABI 0.31. */
const DEFAULT_POLICY = 0x3001fn;

/** A report without signature. */
export function encodeReport(options: ReportOptions): Uint8Array {
  const report = new Uint8Array(REPORT_BYTES);
  const view = new DataView(report.buffer);
  view.setUint32(0x000, options.version, true);
  view.setUint32(0x004, options.guestSvn ?? 0, true);
  view.setBigUint64(0x008, options.policy ?? DEFAULT_POLICY, true);
  view.setUint32(0x030, options.vmpl ?? 0, true);
  view.setUint32(0x034, options.signatureAlgo ?? 1, true);
  report.set(options.currentTcb, 0x038);
  view.setBigUint64(0x040, options.platformInfo ?? 0x25n, true);
  view.setUint32(0x048, (options.signingKey ?? 0) << 2, true);
  report.set(options.reportData, 0x050);
  report.set(options.measurement, 0x090);
  report.set(options.hostData ?? new Uint8Array(32), 0x0c0);
  report.set(options.idKeyDigest ?? new Uint8Array(48), 0x0e0);
  report.set(options.authorKeyDigest ?? new Uint8Array(48), 0x110);
  report.set(new Uint8Array(32).fill(0x22), 0x140);
  report.set(new Uint8Array(32).fill(0xff), 0x160);
  report.set(options.reportedTcb, 0x180);
  if (options.version >= 3) report.set(options.cpuid ?? [0x19, 0x01, 0x01], 0x188);
  report.set(options.chipId ?? new Uint8Array(64), 0x1a0);
  report.set(options.committedTcb, 0x1e0);
  report.set([29, 55, 1], 0x1e8);
  report.set([29, 55, 1], 0x1ec);
  report.set(options.launchTcb, 0x1f0);
  if (options.version >= 5) {
    view.setBigUint64(0x1f8, options.mitVectors?.[0] ?? 0x3fn, true);
    view.setBigUint64(0x200, options.mitVectors?.[1] ?? 0x3fn, true);
  }
  return report;
}

/** Signs in place: r and s go in little-endian, 72 octets each. */
export function signReport(report: Uint8Array, key: KeyObject): void {
  const message = report.subarray(0, SIGNED_BYTES);
  const raw = new Uint8Array(sign("sha384", message, { key, dsaEncoding: "ieee-p1363" }));
  report.fill(0, SIGNED_BYTES);
  report.set(raw.slice(0, 48).reverse(), SIGNED_BYTES);
  report.set(raw.slice(48, 96).reverse(), SIGNED_BYTES + 72);
}
