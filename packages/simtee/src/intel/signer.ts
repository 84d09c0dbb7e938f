/** Signs ECDSA quotes, version 3, with a quoting enclave that a machine's PCK vouches for. */
import { SIMULATED, type SimulatedTrust } from "@donjon/attest/simulated-trust";
import { decodeBase64 } from "@donjon/core/base64";
import type { Signer } from "../evidence.ts";
import { type Machine, readMachineKey } from "../machine.ts";
import { encodePckChain } from "./pem.ts";
import {
  encodeEnclaveReport,
  encodeQeReport,
  encodeQuoteHeader,
  join,
  makeQuotingEnclave,
  signQuote,
} from "./quote.ts";

/** In place of a signer's key digest, readable in a dump. */
const MR_SIGNER = new Uint8Array(32);
MR_SIGNER.set(new TextEncoder().encode(SIMULATED));

/** @throws DonjonError `files/read` when the machine's key is none */
export function makeQuoteSigner(machine: Machine, { intel }: SimulatedTrust): Signer {
  const enclave = makeQuotingEnclave({
    pckKey: readMachineKey(machine, "pck"),
    certification: encodePckChain(intel.pckChain.map(decodeBase64)),
    encodeReport: (bound) => encodeQeReport("sgx", bound),
  });
  const header = encodeQuoteHeader(3, "sgx");
  return (measurement, reportData) => {
    const body = encodeEnclaveReport({
      attributes: 0x05, // INIT, MODE64BIT
      mrEnclave: measurement,
      mrSigner: MR_SIGNER,
      isvProdId: 1,
      isvSvn: 1,
      reportData,
    });
    const evidence = signQuote(enclave, 3, join(header, body));
    return { kind: "sgx", evidence, auxiliary: new Uint8Array() };
  };
}
