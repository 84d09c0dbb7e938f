/** What the root's and the PCK authority's revocation lists say. */
import { equalBytes } from "@donjon/core/bytes";
import { type Crl, parseCrl } from "@donjon/core/crl";
import { encodeHex } from "@donjon/core/hex";
import type { Certificate } from "@donjon/core/x509";
import { isoTime, isSignedBy, nameOf } from "../certificate-path.ts";
import type { CheckList } from "../check.ts";
import type { VerifyCache } from "../verify-cache.ts";

export interface IssuedCrl {
  readonly which: "root-crl" | "pck-crl";
  readonly crl: Crl;
  readonly issuer: Certificate;
  readonly signature: Promise<boolean>;
}

/** Reads a list and starts the check of its signature. `undefined` when there is none and the caller allows that. */
export function readCrl(
  which: IssuedCrl["which"],
  der: Uint8Array | undefined,
  issuer: Certificate,
  cache: VerifyCache,
  checks: CheckList,
): IssuedCrl | undefined {
  if (der === undefined) {
    checks.relax("missing-crl", `intel/${which}-missing`, `a CRL by ${nameOf(issuer)}`, "none");
    return undefined;
  }
  const crl = checks.attempt(`intel/${which}-malformed`, "a CRL", () =>
    cache.parsed("crl", der, parseCrl),
  );
  return { which, crl, issuer, signature: isSignedBy(cache, crl, issuer.publicKey) };
}

/** Requires that the list is the issuer's, holds at `now`, and lists none of `certificates`. */
export async function requireNotRevoked(
  checks: CheckList,
  { which, crl, issuer, signature }: IssuedCrl,
  certificates: readonly Certificate[],
  now: Date,
): Promise<void> {
  const named = equalBytes(crl.issuer.encoding, issuer.subject.encoding);
  const good = (await signature) && named && issuer.keyUsage?.crlSign === true;
  const found = good ? "it is" : named ? "a bad signature" : `a CRL by '${crl.issuer.commonName}'`;
  checks.require(`intel/${which}-signature`, good, `a CRL signed by ${nameOf(issuer)}`, found);
  requireFresh(checks, which, crl, now);
  for (const certificate of certificates) {
    const revoked = crl.revoked.has(encodeHex(certificate.serialNumber));
    checks.require(
      "intel/revoked",
      !revoked,
      `${nameOf(certificate)} not revoked`,
      revoked ? "it is listed" : "not listed",
    );
  }
}

function requireFresh(checks: CheckList, which: IssuedCrl["which"], crl: Crl, now: Date): void {
  const untilMs = crl.nextUpdateMs ?? Number.NEGATIVE_INFINITY;
  const fresh = crl.thisUpdateMs <= now.getTime() && now.getTime() <= untilMs;
  const wanted = `a CRL that holds at ${isoTime(now.getTime())}`;
  const until =
    crl.nextUpdateMs === undefined ? "a time it does not say" : isoTime(crl.nextUpdateMs);
  const found = `${isoTime(crl.thisUpdateMs)} to ${until}`;
  if (fresh) checks.require(`intel/${which}-stale`, true, wanted, found);
  else checks.relax("stale-crl", `intel/${which}-stale`, wanted, found);
}
