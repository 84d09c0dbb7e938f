/** A made-up AMD under AMD's own names: ARK, ASK, ASVK of one product, VCEKs, VLEKs and CRLs. */
import type { AmdRoot } from "@donjon/attest/snp";
import {
  type Authority,
  type AuthorityOptions,
  authorityFacts,
  type CrlOptions,
  type Leaf,
  type LeafOptions,
  makeAuthority as makeDatedAuthority,
  makeCrl as makeDatedCrl,
  makeLeaf as makeDatedLeaf,
} from "@donjon/simtee/amd/authority";
import { type AmdVendor, makeAmdVendor } from "@donjon/simtee/amd/vendor";
import { FAKE_UPDATES, FAKE_VALIDITY, type OptionalDates } from "../validity.ts";

export type { Authority, Leaf } from "@donjon/simtee/amd/authority";

export type FakeLeafOptions = OptionalDates<LeafOptions>;
export type FakeCrlOptions = OptionalDates<CrlOptions>;

export function makeAuthority(options: OptionalDates<AuthorityOptions>): Promise<Authority> {
  return makeDatedAuthority({ ...FAKE_VALIDITY, ...options });
}

export function makeLeaf(options: FakeLeafOptions): Promise<Leaf> {
  return makeDatedLeaf({ ...FAKE_VALIDITY, ...options });
}

export function makeCrl(options: FakeCrlOptions): Promise<Uint8Array> {
  return makeDatedCrl({ ...FAKE_UPDATES, ...options });
}

export interface FakeAmd extends AmdVendor {
  readonly asvk: Authority;
  /** For the `roots` option of `verifySnp`. */
  readonly root: AmdRoot;
}

export async function makeFakeAmd(product: AmdVendor["product"]): Promise<FakeAmd> {
  const vendor = await makeAmdVendor({ product, prefix: "", validity: FAKE_VALIDITY });
  const { ark, ask } = vendor;
  const asvk = await makeAuthority({
    name: `SEV-VLEK-${product}`,
    serialNumber: "0a0101",
    issuer: ark,
  });
  const root: AmdRoot = {
    origin: "caller",
    product,
    ark: authorityFacts(ark),
    ask: authorityFacts(ask),
    asvk: authorityFacts(asvk),
  };
  return { ...vendor, asvk, root };
}
