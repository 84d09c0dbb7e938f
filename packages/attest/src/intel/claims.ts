/** What is proven of the platform behind a quote, the same for SGX and TDX. */
import type { ListedTcbStatus, TcbStatus } from "./tcb-status.ts";

/** From the PCK certificate. */
export interface PlatformClaims {
  readonly fmspc: Uint8Array;
  readonly ppid: Uint8Array;
  readonly pceId: Uint8Array;
  readonly pceSvn: number;
  readonly cpuSvn: Uint8Array;
  readonly tcbComponents: Uint8Array;
  /** `platform` for several packages, `processor` for one. */
  readonly authority: string;
  readonly platformInstanceId: Uint8Array | undefined;
  readonly dynamicPlatform: boolean | undefined;
  readonly cachedKeys: boolean | undefined;
  readonly smtEnabled: boolean | undefined;
}

/** From the report of the quoting enclave. */
export interface QuotingEnclaveClaims {
  readonly mrEnclave: Uint8Array;
  readonly mrSigner: Uint8Array;
  readonly isvProdId: number;
  readonly isvSvn: number;
}

/** What Intel's collateral says of platform, quoting enclave and TDX module together. */
export interface TcbClaims {
  readonly status: TcbStatus;
  /** Of the platform alone, the quoting enclave alone, and (TDX) the module alone. */
  readonly platformStatus: ListedTcbStatus;
  readonly qeStatus: ListedTcbStatus | undefined;
  readonly moduleStatus: ListedTcbStatus | undefined;
  /** Every advisory of the levels that apply, sorted. */
  readonly advisoryIds: readonly string[];
  /** The oldest of the levels that apply: what is fixed by then is fixed here. */
  readonly tcbDate: Date | undefined;
  /** The lower one of TCB info and QE identity. */
  readonly evaluationDataNumber: number | undefined;
  /** When the first piece of collateral ends to be valid. */
  readonly expires: Date;
}
