/** Made-up ECDSA authorities, leaves and CRLs for fake vendors: simtee's, valid for ten years unless said otherwise. */
import {
  type EcCrlOptions,
  type EcParty,
  type EcPartyOptions,
  makeEcCrl as makeDatedCrl,
  makeEcParty as makeDatedParty,
} from "@donjon/simtee/certificates/ec-party";
import { FAKE_UPDATES, FAKE_VALIDITY, type OptionalDates } from "./validity.ts";

export { AUTHORITY_USAGE, type EcParty } from "@donjon/simtee/certificates/ec-party";

export type FakeEcPartyOptions = OptionalDates<EcPartyOptions>;
export type FakeEcCrlOptions = OptionalDates<EcCrlOptions>;

export function makeEcParty(options: FakeEcPartyOptions): Promise<EcParty> {
  return makeDatedParty({ ...FAKE_VALIDITY, ...options });
}

export function makeEcCrl(options: FakeEcCrlOptions): Promise<Uint8Array> {
  return makeDatedCrl({ ...FAKE_UPDATES, ...options });
}
