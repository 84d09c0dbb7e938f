/** Signs attestation reports, version 5, with a machine's VCEK. */
import type { SimulatedTrust } from "@donjon/attest/simulated-trust";
import { parseSnpCertificate } from "@donjon/attest/snp/certs";
import { decodeBase64 } from "@donjon/core/base64";
import type { Signer } from "../evidence.ts";
import { type Machine, readMachineKey } from "../machine.ts";
import { encodeCertificateTable } from "./certificate-table.ts";
import { CPUID, encodeTcbVersion } from "./leaf.ts";
import { encodeReport, signReport } from "./report.ts";

/** @throws DonjonError `files/read` when the machine's key is none */
export function makeReportSigner(machine: Machine, { amd }: SimulatedTrust): Signer {
  const key = readMachineKey(machine, "vcek");
  const [vcek, ask, ark] = amd.certificates.map(decodeBase64);
  const [crl] = amd.crls.map(decodeBase64);
  const table = encodeCertificateTable({ vcek: vcek!, ask: ask!, ark: ark!, crl: crl! });
  // Reports must agree with the TCB that the VCEK's certificate was issued for.
  const { tcb: certified } = parseSnpCertificate(vcek!);
  const tcb = encodeTcbVersion(amd.product, { ...certified, fmc: certified.fmc ?? 0 });
  const facts = {
    version: 5,
    chipId: machine.chipId,
    cpuid: CPUID[amd.product],
    currentTcb: tcb,
    reportedTcb: tcb,
    committedTcb: tcb,
    launchTcb: tcb,
  };
  return (measurement, reportData) => {
    const evidence = encodeReport({ ...facts, measurement, reportData });
    signReport(evidence, key);
    return { kind: "snp", evidence, auxiliary: table.slice() };
  };
}
