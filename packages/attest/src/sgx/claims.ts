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
    { bit: 0, width: 1, name: "init", says: "the enclave is initialised" },
    { bit: 1, width: 1, name: "debug", says: "the host may read and write the enclave's memory" },
    { bit: 2, width: 1, name: "mode64Bit", says: "the enclave runs in 64-bit mode" },
    { bit: 4, width: 1, name: "provisionKey", says: "the enclave may get the provisioning key" },
    { bit: 5, width: 1, name: "einitTokenKey", says: "the enclave may get the launch token key" },
    { bit: 6, width: 1, name: "cet", says: "control-flow enforcement is on" },
    { bit: 7, width: 1, name: "kss", says: "key separation and sharing is on" },
    { bit: 10, width: 1, name: "aexNotify", says: "threads may be told of asynchronous exits" },
  ],
});

export interface SgxClaims extends QuoteClaims {
  readonly enclave: Decoded<typeof ENCLAVE_REPORT>;
  readonly attributes: DecodedBits<typeof ENCLAVE_ATTRIBUTES>;
  /** `undefined` when TCB info was missing and the caller allowed that. */
  readonly tcb: TcbClaims | undefined;
}
