import { AttestError } from "../attest-error.ts";

/** Octets of one envelope: a certificate chain, collateral and a quote fit many times over. */
export const MAX_ENVELOPE_BYTES = 4 << 20;

export function envelopeError(
  what: string,
  found: string,
  wanted: string,
  cause?: unknown,
): AttestError {
  return new AttestError(
    "evidence/malformed",
    "envelope/malformed",
    `Cannot read ${what}: found ${found}, wanted ${wanted}`,
    { cause },
  );
}

export function envelopeLimit(what: string, size: number): AttestError {
  return new AttestError(
    "evidence/malformed",
    "envelope/limit",
    `Cannot read ${what}: found ${size} octets, wanted at most ${MAX_ENVELOPE_BYTES}`,
  );
}
