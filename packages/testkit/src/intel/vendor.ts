/** A made-up Intel: root, both PCK authorities, TCB signer, platforms with their PCK certificates. */
import type { IntelRoot } from "@donjon/attest/intel";
import {
  type IntelVendor,
  makePck as makeDatedPck,
  makeIntelVendor,
  type PckOptions,
  rootFacts,
} from "@donjon/simtee/intel/vendor";
import { type EcParty, makeEcParty } from "../ecdsa-authority.ts";
import { FAKE_NOW, FAKE_VALIDITY, type OptionalDates } from "../validity.ts";

export { ROOT_NAME } from "@donjon/simtee/intel/vendor";

/** A moment at which everything made here without other dates is valid. */
export const INTEL_NOW: Date = FAKE_NOW;

export interface FakeIntel extends IntelVendor {
  readonly processorCa: EcParty;
  /** For the `roots` option of `verifySgx` and `verifyTdx`. */
  readonly roots: readonly IntelRoot[];
}

export async function makeFakeIntel(): Promise<FakeIntel> {
  const vendor = await makeIntelVendor(FAKE_VALIDITY);
  const processorCa = await makeEcParty({
    name: "SIMULATED Intel SGX PCK Processor CA",
    serialNumber: "0b0002",
    curve: "P-256",
    issuer: vendor.root,
    ca: true,
    pathLength: 0,
  });
  return { ...vendor, processorCa, roots: [await rootFacts(vendor.root)] };
}

export type FakePckOptions = OptionalDates<PckOptions>;

/** A platform's PCK certificate, by the platform authority unless `issuer` says otherwise. */
export function makePck(intel: FakeIntel, options: FakePckOptions = {}): Promise<EcParty> {
  return makeDatedPck(intel, { ...FAKE_VALIDITY, ...options });
}
