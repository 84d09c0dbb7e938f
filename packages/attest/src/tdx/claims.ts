/** What is proven of a TD. */
import type { DecodedBits } from "@donjon/core/bits";
import { type Decoded, decodeLayout } from "@donjon/core/layout";
import type { TcbClaims } from "../intel/claims.ts";
import type { QuoteClaims } from "../intel/platform.ts";
import type { Quote } from "../intel/quote.ts";
import { type TD_ATTRIBUTES, TD_REPORT_1_0, TD_REPORT_1_5, TD_REPORT_1_5_EX } from "./layouts.ts";

/** The fields of the newest body, where a quote has an older one some are absent. */
export type TdReport = Decoded<typeof TD_REPORT_1_0> &
  Partial<Omit<Decoded<typeof TD_REPORT_1_5_EX>, keyof Decoded<typeof TD_REPORT_1_0>>>;

export interface TdxClaims extends QuoteClaims {
  readonly bodyKind: "td-1.0" | "td-1.5" | "td-1.5-ex";
  readonly td: TdReport;
  readonly attributes: DecodedBits<typeof TD_ATTRIBUTES>;
  /** Bits of the TD attributes that this library has no name for. */
  readonly unknownAttributes: bigint;
  /** `undefined` when TCB info was missing and the caller allowed that. */
  readonly tcb: TcbClaims | undefined;
}

/** Reads the body of a TDX quote. Throws DonjonError `bytes/*`. */
export function parseTdReport(quote: Pick<Quote, "bodyKind" | "body">): TdReport {
  switch (quote.bodyKind) {
    case "td-1.5-ex":
      return decodeLayout(TD_REPORT_1_5_EX, quote.body);
    case "td-1.5":
      return decodeLayout(TD_REPORT_1_5, quote.body);
    default:
      return decodeLayout(TD_REPORT_1_0, quote.body);
  }
}
