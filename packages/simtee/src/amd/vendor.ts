/** A simulated AMD: ARK and ASK of one product. */
import type { AmdProductName } from "@donjon/attest/snp";
import type { KeyPair } from "../certificates/key-pair.ts";
import type { Validity } from "../certificates/validity.ts";
import { type Authority, makeAuthority } from "./authority.ts";

export interface AmdVendor {
  readonly product: AmdProductName;
  readonly ark: Authority;
  readonly ask: Authority;
}

export interface AmdVendorOptions {
  readonly product: AmdProductName;
  /** Before AMD's names of the authorities. */
  readonly prefix: string;
  readonly validity: Validity;
  /** Made when absent. */
  readonly keys?: { readonly ark: KeyPair; readonly ask: KeyPair };
}

export async function makeAmdVendor(options: AmdVendorOptions): Promise<AmdVendor> {
  const { product, prefix, validity, keys } = options;
  const ark = await makeAuthority({
    name: `${prefix}ARK-${product}`,
    serialNumber: "0a0000",
    ...validity,
    ...(keys && { keys: keys.ark }),
  });
  const ask = await makeAuthority({
    name: `${prefix}SEV-${product}`,
    serialNumber: "0a0001",
    issuer: ark,
    ...validity,
    ...(keys && { keys: keys.ask }),
  });
  return { product, ark, ask };
}
