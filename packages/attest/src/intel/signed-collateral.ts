/** TCB info and QE identity: signed JSON with a chain of its own to the root. */

import { equalBytes } from "@donjon/core/bytes";
import { type Certificate, parseCertificate } from "@donjon/core/x509";
import { isoTime, requirePath, startSignatures } from "../certificate-path.ts";
import type { CheckList } from "../check.ts";
import { INTEL_NAME } from "../trust/intel.ts";
import type { VerifyCache } from "../verify-cache.ts";
import type { SignedJson } from "./collateral.ts";
import { requireName } from "./pck-chain.ts";

interface Dated {
  readonly issueDateMs: number;
  readonly nextUpdateMs: number;
}

export interface SignedCollateral<T extends Dated> {
  readonly which: "tcb-info" | "qe-identity";
  readonly value: T;
  /** Signer and root. */
  readonly path: readonly Certificate[];
  readonly pathSignatures: readonly Promise<boolean>[];
  readonly signature: Promise<boolean>;
}

/** Chains longer than signer and root are not Intel's. */
const PATH_LENGTH = 2;

/**
 * Reads a piece of collateral and starts the checks of its signatures; the signature is over the text exactly as it
 * came. `undefined` when there is none and the caller allows that.
 *
 * @param root the root certificate of the PCK chain: a signing chain must end in the same key
 */
export function readSignedCollateral<T extends Dated>(
  which: SignedCollateral<T>["which"],
  signed: SignedJson | undefined,
  chain: readonly Uint8Array[] | undefined,
  root: Certificate,
  parse: (text: string) => T,
  cache: VerifyCache,
  checks: CheckList,
): SignedCollateral<T> | undefined {
  if (signed === undefined) {
    checks.relax(`missing-${which}`, `intel/${which}-missing`, `${which} of the platform`, "none");
    return undefined;
  }
  const bytes = new TextEncoder().encode(signed.text);
  const value = checks.attempt(`intel/${which}-malformed`, which, () =>
    cache.parsed(which, bytes, () => parse(signed.text)),
  );
  const path = readPath(which, chain, root, cache, checks);
  return {
    which,
    value,
    path,
    pathSignatures: startSignatures(cache, path),
    signature: cache.verifySignature(
      "ecdsa-p256-sha256",
      path[0]!.publicKey.encoding,
      signed.signature,
      bytes,
    ),
  };
}

/** Requires signer, signature and validity at `now`. */
export async function requireSignedCollateral<T extends Dated>(
  checks: CheckList,
  { which, value, path, pathSignatures, signature }: SignedCollateral<T>,
  now: Date,
): Promise<void> {
  const reasons = {
    chain: `intel/${which}-chain`,
    expired: `intel/${which}-expired`,
    signature: `intel/${which}-signature`,
  } as const;
  await requirePath(checks, reasons, path, pathSignatures, now);
  const good = await signature;
  checks.require(
    reasons.signature,
    good,
    `${which} signed by its signer`,
    good ? "it is" : "a bad signature",
  );
  const fresh = value.issueDateMs <= now.getTime() && now.getTime() <= value.nextUpdateMs;
  const wanted = `${which} that holds at ${isoTime(now.getTime())}`;
  const found = `${isoTime(value.issueDateMs)} to ${isoTime(value.nextUpdateMs)}`;
  if (fresh) checks.require(reasons.expired, true, wanted, found);
  else checks.relax(`stale-${which}`, reasons.expired, wanted, found);
}

function readPath(
  which: "tcb-info" | "qe-identity",
  chain: readonly Uint8Array[] | undefined,
  root: Certificate,
  cache: VerifyCache,
  checks: CheckList,
): readonly Certificate[] {
  const reason = `intel/${which}-chain` as const;
  const given = chain !== undefined && chain.length > 0 && chain.length <= PATH_LENGTH;
  checks.requireForm(reason, given, "signer and root", `${chain?.length ?? 0} certificates`);
  const [signer, end = root] = checks.attempt(reason, "signer and root", () =>
    chain!.map((der) => cache.parsed("certificate", der, parseCertificate)),
  );
  requireName(checks, reason, signer!, [INTEL_NAME.tcbSigning]);
  const same = equalBytes(end.publicKey.encoding, root.publicKey.encoding);
  checks.require(reason, same, "the root of the PCK chain", same ? "it is" : "another root");
  return [signer!, end];
}
