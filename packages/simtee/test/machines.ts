/** Security processors in directories of their own, and their evidence as a client sees it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import type { SgxClaims } from "@donjon/attest/sgx/claims";
import type { SnpClaims } from "@donjon/attest/snp";
import type { Verified } from "@donjon/attest/verified";
import { type CallerRoots, type EvidenceSet, verifyEvidence } from "@donjon/attest/verify";
import { VerifyCache } from "@donjon/attest/verify-cache";
import type { SecurityProcessor, SimulatedLaunch } from "../src/security-processor.ts";
import { endorse, rootsOf, type SimulatedTrust } from "../src/trust.ts";

export const KINDS = ["snp", "sgx"] as const;
export const REPORT_DATA: Uint8Array = new Uint8Array(64).map((_, index) => 200 - index);

/** A directory that is gone after the tests; `name` in it does not exist yet. */
export function machineDirectory(name = "simtee"): string {
  const parent = mkdtempSync(join(tmpdir(), "donjon-simtee-"));
  after(() => rmSync(parent, { recursive: true, force: true }));
  return join(parent, name);
}

export function launchOf(tee: SimulatedLaunch["tee"], octet = 0x5a): SimulatedLaunch {
  return { tee, measurement: new Uint8Array(tee === "snp" ? 48 : 32).fill(octet) };
}

/** Evidence of `processor` with what its trust, or another, endorses it with. */
export async function evidenceOf(
  processor: SecurityProcessor,
  tee: SimulatedLaunch["tee"],
  trust?: SimulatedTrust,
): Promise<EvidenceSet> {
  const { kind, evidence, auxiliary } = await processor.createEvidence(launchOf(tee), REPORT_DATA);
  return endorse(trust ?? processor.trust, kind, evidence, auxiliary);
}

/** Keys and certificates are remembered over all tests, so that thousands of verifications take little. */
const cache = new VerifyCache();

export function verify(
  set: EvidenceSet,
  roots: CallerRoots | undefined,
  now: Date = new Date(),
): ReturnType<typeof verifyEvidence> {
  return verifyEvidence(set, { now, cache, ...(roots && { roots }) });
}

export interface ClaimedLaunch {
  readonly measurement: string;
  readonly reportData: string;
}

/** What evidence says was launched, hexadecimal. */
export function claimedLaunch(verified: Awaited<ReturnType<typeof verify>>): ClaimedLaunch {
  if (verified.kind === "snp") {
    const { measurement, reportData } = (verified as Verified<"snp", SnpClaims>).claims;
    return { measurement, reportData };
  }
  const { enclave } = (verified as Verified<"sgx", SgxClaims>).claims;
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
  return { measurement: hex(enclave.mrEnclave), reportData: hex(enclave.reportData) };
}

export { rootsOf };
