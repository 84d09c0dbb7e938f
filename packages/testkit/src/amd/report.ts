/** Reports with anything in them. */
import { encodeReport, type ReportOptions as Facts, signReport } from "@donjon/simtee/amd/report";

export { signReport } from "@donjon/simtee/amd/report";

export interface ReportOptions extends Omit<Facts, "measurement" | "reportData"> {
  readonly measurement?: Uint8Array;
  readonly reportData?: Uint8Array;
  /** Octets to set after everything else and before signing: offset and value. */
  readonly patch?: readonly (readonly [offset: number, value: number])[];
}

const DEFAULTS = { measurement: new Uint8Array(48).fill(0x11), reportData: new Uint8Array(64) };

export async function makeReport(options: ReportOptions, key: CryptoKey): Promise<Uint8Array> {
  const report = encodeReport({ ...DEFAULTS, ...options });
  for (const [offset, value] of options.patch ?? []) report[offset] = value;
  await signReport(report, key);
  return report;
}
