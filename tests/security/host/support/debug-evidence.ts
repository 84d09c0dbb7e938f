/** Evidence with the debug bit, by a machine's own keys: the processor of the simulation never signs such. */
import type { SimulatedTrust } from "@donjon/attest/simulated-trust";
import { decodeBase64 } from "@donjon/core/base64";
import { signReport } from "@donjon/simtee/amd/report";
import { encodePckChain } from "@donjon/simtee/intel/pem";
import {
  encodeEnclaveReport,
  encodeQeReport,
  encodeQuoteHeader,
  join,
  makeQuotingEnclave,
  signQuote,
} from "@donjon/simtee/intel/quote";
import { openMachine, readMachineKey } from "@donjon/simtee/machine";
import type { SecurityProcessor } from "@donjon/simtee/security-processor";

type Sign = (reportData: Uint8Array) => {
  readonly evidence: Uint8Array;
  readonly auxiliary: Uint8Array;
};

/** INIT, DEBUG, MODE64BIT (Intel SDM 3D, ATTRIBUTES). */
const DEBUG_ENCLAVE = 0x07;
/** POLICY.DEBUG of an SNP report is bit 19 (AMD 56860): the octet and the bit in it. */
const DEBUG_GUEST = [0x008 + 2, 1 << 3] as const;

export async function signDebugQuote(
  folder: string,
  { intel }: SimulatedTrust,
  mrEnclave: Uint8Array,
): Promise<Sign> {
  const enclave = makeQuotingEnclave({
    pckKey: readMachineKey(await openMachine(folder), "pck"),
    certification: encodePckChain(intel.pckChain.map(decodeBase64)),
    encodeReport: (bound) => encodeQeReport("sgx", bound),
  });
  return (reportData) => {
    const body = encodeEnclaveReport({
      attributes: DEBUG_ENCLAVE,
      mrEnclave,
      mrSigner: new Uint8Array(32),
      isvProdId: 1,
      isvSvn: 1,
      reportData,
    });
    const evidence = signQuote(enclave, 3, join(encodeQuoteHeader(3, "sgx"), body));
    return { evidence, auxiliary: new Uint8Array(0) };
  };
}

export async function signDebugReport(
  folder: string,
  processor: SecurityProcessor,
  measurement: Uint8Array,
): Promise<Sign> {
  const key = readMachineKey(await openMachine(folder), "vcek");
  const launch = { tee: "snp", measurement } as const;
  const { evidence: template, auxiliary } = await processor.createEvidence(
    launch,
    new Uint8Array(64),
  );
  return (reportData) => {
    const evidence = template.slice();
    evidence.set(reportData, 0x050);
    const [octet, bit] = DEBUG_GUEST;
    evidence[octet]! |= bit;
    signReport(evidence, key);
    return { evidence, auxiliary };
  };
}
