/** Claims that every proven quote has, from what `verify-quote.ts` proved. */
import type { PlatformClaims, QuotingEnclaveClaims } from "./claims.ts";
import type { ProvenQuote } from "./verify-quote.ts";

export interface QuoteClaims {
  readonly quoteVersion: 3 | 4 | 5;
  /** Octets that came after the quote and are signed by no one. */
  readonly trailingBytes: number;
  readonly platform: PlatformClaims;
  readonly quotingEnclave: QuotingEnclaveClaims;
}

export function readQuoteClaims({ quote, pck, authority }: ProvenQuote): QuoteClaims {
  const { mrEnclave, mrSigner, isvProdId, isvSvn } = quote.qeReport;
  const { sgxType: _, ...platform } = pck;
  return {
    quoteVersion: quote.version,
    trailingBytes: quote.trailingBytes,
    platform: { ...platform, authority },
    quotingEnclave: { mrEnclave, mrSigner, isvProdId, isvSvn },
  };
}
