/** What is proven of an SGX enclave. */
import { type DecodedBits, defineBits } from "@donjon/core/bits";
import type { Decoded } from "@donjon/core/layout";
import type { TcbClaims } from "../intel/claims.ts";
import type { ENCLAVE_REPORT } from "../intel/layouts.ts";
import type { QuoteClaims } from "../intel/platform.ts";

export const ENCLAVE_ATTRIBUTES = /* @__PURE__ */ defineBits({
  name: "ATTRIBUTES",
  source: "Intel SDM volume 3D, ATTRIBUTES structure",
  width: 64,
  fields: [
    { bit: 0, width: 1, name: "init" },
    { bit: 1, width: 1, name: "debug" },
    { bit: 2, width: 1, name: "mode64Bit" },
    { bit: 4, width: 1, name: "provisionKey" },
    { bit: 5, width: 1, name: "einitTokenKey" },
    { bit: 6, width: 1, name: "cet" },
    { bit: 7, width: 1, name: "kss" },
    { bit: 10, width: 1, name: "aexNotify" },
  ],
});

export interface SgxClaims extends QuoteClaims {
  readonly enclave: Decoded<typeof ENCLAVE_REPORT>;
  readonly attributes: DecodedBits<typeof ENCLAVE_ATTRIBUTES>;
  /** `undefined` when TCB info was missing and the caller allowed that. */
  readonly tcb: TcbClaims | undefined;
}
