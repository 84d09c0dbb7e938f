import type { Check } from "./check.ts";
import type { VerifyCache } from "./verify-cache.ts";

export type EvidenceKind = "snp" | "tdx" | "sgx" | "nitro";

/** The root a chain ends in. */
export interface Anchor {
  /** For example `ARK-Milan`. */
  readonly name: string;
  /** `vendor`: pinned in this library. `caller`: handed in, as for simulated evidence; proves nothing about hardware. */
  readonly origin: "vendor" | "caller";
}

declare const proof: unique symbol;

/**
 * Evidence that was proven genuine. Only a `verifyX` function makes one, and it holds only what was
 * proven: every claim is signed by hardware that chains to `anchor`. Whether to accept it is for
 * `appraise` to say.
 */
export interface Verified<Kind extends EvidenceKind, Claims> {
  readonly kind: Kind;
  readonly claims: Claims;
  readonly anchor: Anchor;
  /** The moment that validity was checked for; not a proof of freshness. */
  readonly at: Date;
  /** Every check made, in order, relaxed ones marked. */
  readonly checks: readonly Check[];
  readonly [proof]: Kind;
}

/** What every `verifyX` takes. Nothing ambient: no clock, no network, no store. */
export interface VerifyOptions<Relaxation extends string> {
  /** The moment to check validity for. */
  readonly now: Date;
  /** Checks that may fail, each by name. Default: none may. */
  readonly allow?: readonly Relaxation[];
  /** Keys and certificate signatures verified before. Default: none are remembered. */
  readonly cache?: VerifyCache;
}

/** For `verifyX` only: the one place where a result becomes a proof. */
export function proven<Kind extends EvidenceKind, Claims>(
  result: Omit<Verified<Kind, Claims>, typeof proof>,
): Verified<Kind, Claims> {
  return result as Verified<Kind, Claims>;
}
