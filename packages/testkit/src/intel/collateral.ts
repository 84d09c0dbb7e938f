/** TCB info and QE identity that hold at `INTEL_NOW`, unless a test says otherwise. */
import {
  encodeQeIdentity,
  encodeTcbInfo,
  type QeIdentityOptions,
  type TcbInfoOptions,
} from "@donjon/simtee/intel/collateral";

export { signText } from "@donjon/simtee/intel/collateral";

const DATES = { issueDate: "2026-05-20T00:00:00Z", nextUpdate: "2026-06-19T00:00:00Z" } as const;

type Undated<Options> = Omit<Options, keyof typeof DATES> &
  Partial<Record<keyof typeof DATES, string>>;
export type FakeTcbInfoOptions = Undated<TcbInfoOptions>;
export type FakeQeIdentityOptions = Undated<QeIdentityOptions>;

export function tcbInfoText(options: FakeTcbInfoOptions): string {
  return encodeTcbInfo({ ...DATES, ...options });
}

export function qeIdentityText(options: FakeQeIdentityOptions): string {
  return encodeQeIdentity({ ...DATES, ...options });
}
