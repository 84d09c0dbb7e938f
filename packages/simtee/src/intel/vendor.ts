/** A simulated Intel: root, PCK authority, signer of TCB info, PCK certificates of platforms. */
import type { IntelRoot } from "@donjon/attest/intel";
import { type EcParty, type EcPartyOptions, makeEcParty } from "../certificates/ec-party.ts";
import type { KeyPair } from "../certificates/key-pair.ts";
import type { Validity } from "../certificates/validity.ts";
import { encodeSgxExtension, type SgxExtensionOptions } from "./sgx-extension.ts";

const curve = "P-256";
export const PCK_NAME = "SIMULATED Intel SGX PCK Certificate";
export const ROOT_NAME = "SIMULATED Intel SGX Root CA";
const SGX_EXTENSIONS = "1.2.840.113741.1.13.1";

export interface IntelVendor {
  readonly root: EcParty;
  readonly platformCa: EcParty;
  readonly tcbSigner: EcParty;
}

export type IntelVendorKeys = Readonly<Record<keyof IntelVendor, KeyPair>>;

/** @param keys made when absent */
export async function makeIntelVendor(
  validity: Validity,
  keys?: IntelVendorKeys,
): Promise<IntelVendor> {
  const make = (part: keyof IntelVendor, options: Omit<EcPartyOptions, "curve" | keyof Validity>) =>
    makeEcParty({ ...options, curve, ...validity, ...(keys && { keys: keys[part] }) });
  const root = await make("root", {
    name: ROOT_NAME,
    serialNumber: "0b0000",
    ca: true,
    pathLength: 1,
  });
  const [platformCa, tcbSigner] = await Promise.all([
    make("platformCa", {
      name: "SIMULATED Intel SGX PCK Platform CA",
      serialNumber: "0b0001",
      issuer: root,
      ca: true,
      pathLength: 0,
    }),
    make("tcbSigner", {
      name: "SIMULATED Intel SGX TCB Signing",
      serialNumber: "0b0003",
      issuer: root,
    }),
  ]);
  return { root, platformCa, tcbSigner };
}

/** What a verifier pins. */
export async function rootFacts({ name, keys }: EcParty): Promise<IntelRoot> {
  const spki = await crypto.subtle.exportKey("spki", keys.publicKey);
  return { commonName: name, spki: Buffer.from(spki).toString("base64") };
}

export interface PckOptions extends Partial<Omit<EcPartyOptions, keyof Validity>>, Validity {
  readonly sgx?: SgxExtensionOptions;
}

/** A platform's PCK certificate, by the platform authority unless `issuer` says otherwise. */
export function makePck(vendor: IntelVendor, { sgx, ...options }: PckOptions): Promise<EcParty> {
  return makeEcParty({
    name: PCK_NAME,
    serialNumber: "0b1234",
    curve,
    issuer: vendor.platformCa,
    extensions: [[SGX_EXTENSIONS, encodeSgxExtension(sgx)]],
    ...options,
  });
}
