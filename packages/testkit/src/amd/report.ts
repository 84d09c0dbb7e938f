/** Reports with anything in them. */
import { KeyObject } from "node:crypto";
import { encodeReport, type ReportOptions as Facts, signReport } from "@donjon/simtee/amd/report";

export interface ReportOptions extends Omit<Facts, "measurement" | "reportData"> {
  readonly measurement?: Uint8Array;
  readonly reportData?: Uint8Array;
  /** Octets to set after everything else and before signing: offset and value. */
  readonly patch?: readonly (readonly [offset: number, value: number])[];
}

const DEFAULTS = { measurement: new Uint8Array(48).fill(0x11), reportData: new Uint8Array(64) };

export function makeReport(options: ReportOptions, key: CryptoKey): Uint8Array {
  const report = encodeReport({ ...DEFAULTS, ...options });
  for (const [offset, value] of options.patch ?? []) report[offset] = value;
  signReport(report, KeyObject.from(key));
  return report;
}
