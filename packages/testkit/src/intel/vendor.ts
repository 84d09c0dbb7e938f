/** A made-up Intel: root, PCK authorities, TCB signer, one platform with its PCK certificate. */
import type { IntelRoot } from "@donjon/attest/intel";
import { type EcParty, type EcPartyOptions, makeEcParty } from "../ecdsa-authority.ts";
import { encodeSgxExtension, type SgxExtensionOptions } from "./sgx-extension.ts";

/** A moment at which everything made here without other dates is valid. */
export const INTEL_NOW = new Date("2026-06-01T00:00:00Z");

const curve = "P-256";
const PCK_NAME = "SIMULATED Intel SGX PCK Certificate";
export const ROOT_NAME = "SIMULATED Intel SGX Root CA";

export interface FakeIntel {
  readonly root: EcParty;
  readonly platformCa: EcParty;
  readonly processorCa: EcParty;
  readonly tcbSigner: EcParty;
  /** For the `roots` option of `verifySgx` and `verifyTdx`. */
  readonly roots: readonly IntelRoot[];
}

export async function makeFakeIntel(): Promise<FakeIntel> {
  const root = await makeEcParty({
    name: ROOT_NAME,
    serialNumber: "0b0000",
    curve,
    ca: true,
    pathLength: 1,
  });
  const authority = (name: string, serialNumber: string) =>
    makeEcParty({ name, serialNumber, curve, issuer: root, ca: true, pathLength: 0 });
  const spki = await crypto.subtle.exportKey("spki", root.keys.publicKey);
  return {
    root,
    platformCa: await authority("SIMULATED Intel SGX PCK Platform CA", "0b0001"),
    processorCa: await authority("SIMULATED Intel SGX PCK Processor CA", "0b0002"),
    tcbSigner: await makeEcParty({
      name: "SIMULATED Intel SGX TCB Signing",
      serialNumber: "0b0003",
      curve,
      issuer: root,
    }),
    roots: [{ commonName: ROOT_NAME, spki: Buffer.from(spki).toString("base64") }],
  };
}

export interface PckOptions extends Partial<EcPartyOptions> {
  readonly sgx?: SgxExtensionOptions;
}

/** A platform's PCK certificate, by the platform authority unless `issuer` says otherwise. */
export function makePck(intel: FakeIntel, { sgx, ...options }: PckOptions = {}): Promise<EcParty> {
  return makeEcParty({
    name: PCK_NAME,
    serialNumber: "0b1234",
    curve,
    issuer: intel.platformCa,
    extensions: [["1.2.840.113741.1.13.1", encodeSgxExtension(sgx)]],
    ...options,
  });
}
